// Bun's own server, a new instance for each call. Argument: the folder of the functions.

import process from "node:process";
import { instancePerCall } from "./web-handler.js";

const { port } = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch: instancePerCall(process.argv[2] ?? ""),
});
console.log(`listening on http://127.0.0.1:${port}`);

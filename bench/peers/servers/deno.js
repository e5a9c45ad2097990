// Deno's own server, a new instance for each call. Argument: the folder of the functions.

import process from "node:process";
import { instancePerCall } from "./web-handler.js";

Deno.serve(
  {
    port: 0,
    hostname: "127.0.0.1",
    onListen: ({ port }) => console.log(`listening on http://127.0.0.1:${port}`),
  },
  instancePerCall(process.argv[2] ?? ""),
);

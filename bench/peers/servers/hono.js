// Bare Hono: one instance of each function for all its calls. Argument: the folder of the functions.

import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { instanceKept } from "./web-handler.js";

const handle = instanceKept(process.argv[2] ?? "");
const app = new Hono();
app.all("/fn/:name", (context) => handle(context.req.raw));
serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, ({ port }) => {
  console.log(`listening on http://127.0.0.1:${port}`);
});

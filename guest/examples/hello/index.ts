// Greets by name: the smallest useful function.
//
//   curl "http://127.0.0.1:4747/fn/hello?name=Ada"

import { Request, Response } from "mayfly";

export function handle(req: Request): Response {
  const name = req.query("name");
  return Response.text("Hello, " + (name ? name : "world") + "!");
}

// Your function. Everything about one HTTP request comes in as `req`; what you return is the answer.
//
//   mayfly dev index.ts hello        build, deploy to the running host, again on each save
//   curl "http://127.0.0.1:4747/fn/hello?name=Ada"

import { log, Request, Response } from "mayfly";

export function handle(req: Request): Response {
  // The first value of ?name=..., decoded; null when it is absent.
  const name = req.query("name");

  // `mayfly logs hello` shows this.
  log.info(req.method + " " + req.path);

  return Response.text("Hello, " + (name ? name : "world") + "!");
}

// More to try, with examples in each one's documentation (hover in your editor):
//
//   req.method, req.path, req.header("accept"), req.cookie("session"), req.text(), req.body
//   Response.json(new JsonObject().set("ok", true).toString())
//   Response.text("No such item", 404).header("cache-control", "no-store")

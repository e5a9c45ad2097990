// Gives one response for each path, for test/guest/response.test.ts.
// biome-ignore-all lint/style/useImportType: AssemblyScript has no imports of types alone
// biome-ignore-all lint/style/noNonNullAssertion: a null is a bug of the test and traps

import { Request, Response } from "mayfly";

export function handle(req: Request): Response {
  const value = req.text();
  if (req.path === "/text") return Response.text("Grüße 😀 \uD800", 201);
  if (req.path === "/json") return Response.json('{"a":1}', 202);
  if (req.path === "/bytes") return Response.bytes(req.body, "image/png");
  if (req.path === "/empty") return new Response(204);
  if (req.path === "/redirect") return Response.redirect(value);
  if (req.path === "/redirect-200") return Response.redirect("/", 200);
  if (req.path === "/header") return Response.text("").header("x-value", value);
  if (req.path === "/cookies") {
    return Response.text("")
      .header("set-cookie", "a=1")
      .header("Set-Cookie", "b=2")
      .header("X-A", "1")
      .header("x-a", "2");
  }
  const res = Response.text("x");
  res.headers.append("vary", "a");
  res.headers.append("Vary", "b");
  res.headers.set("x-first", "1");
  res.headers.delete("content-type");
  return Response.text(
    res.headers.get("vary")! + " " + res.headers.has("content-type").toString() + " " + res.body.toString(),
  );
}

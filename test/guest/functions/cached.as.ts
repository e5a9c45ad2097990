// Answers that caches may keep, each with a body of its own, for test/contract/cached-routes.test.ts.
// biome-ignore-all lint/style/useImportType: AssemblyScript has no imports of types alone

import { Request, Response, random } from "mayfly";

export function handle(req: Request): Response {
  const found = req.param("kind");
  const kind = found ? found : "";
  if (req.method === "POST") return Response.text("changed");
  const seen = req.header("if-none-match");
  if (kind === "tagged" && seen && seen === '"same"') {
    return new Response(304, new Uint8Array(0)).header("etag", '"same"').header("x-checked", "yes");
  }
  const answer = Response.text(random(8).toString());
  if (kind === "tagged") return answer.header("etag", '"same"').header("cache-control", "max-age=0");
  if (kind === "language") {
    return answer.header("vary", "accept-language").header("cache-control", "max-age=60");
  }
  if (kind === "cookie") return answer.header("set-cookie", "a=1").header("cache-control", "max-age=60");
  if (kind === "plain") return answer;
  const directives = req.query("cc");
  return answer.header("cache-control", directives ? directives : "").header("etag", '"etag"');
}

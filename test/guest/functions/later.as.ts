// Does as its path says, for the tests of asynchronous calls.
// biome-ignore-all lint/style/useImportType: AssemblyScript has no imports of types alone

import { kv, log, Request, Response } from "mayfly";

export function handle(req: Request): Response {
  const id = req.header("x-mayfly-invocation-id");
  const counts = kv.open("counts");
  const attempt = req.header("x-mayfly-attempt") || "none";
  if (id !== null) counts.increment(id);
  if (req.path === "/traps") unreachable();
  if (req.path === "/fails") {
    log.warn("attempt " + attempt);
    return Response.text("not today", 503);
  }
  if (req.path === "/third" && attempt !== "3")
    return Response.text("not yet", 500).header("retry-after", "0");
  if (req.path === "/refuses") return Response.text("no such thing", 404);
  const parts = [req.method, req.url, req.header("x-own") || "none", attempt, req.text()];
  return Response.text(parts.join("|"), 201).header("x-made", "yes");
}

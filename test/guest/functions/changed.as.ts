// Counts the changes of each row and keeps what is told of them in the order in which it came, for the tests
// of triggers of kind `postgres`.
// biome-ignore-all lint/style/useImportType: AssemblyScript has no imports of types alone

import { events, kv, Request, Response } from "mayfly";

export function handle(req: Request): Response {
  const event = events.from(req);
  if (event === null) return Response.text("no event", 400);
  const subject = event.subject;
  const key = subject === null ? "none" : subject;
  if (req.path != "/count") {
    const told = kv.open("told");
    const before = told.get(key);
    told.set(key, (before === null ? "" : before + "\n") + event.type + " " + event.text());
  }
  kv.open("changed").increment(key);
  return new Response(204);
}

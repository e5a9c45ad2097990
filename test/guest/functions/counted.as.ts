// Counts how often each event came, for test/flow/events-kill.test.ts.
// biome-ignore-all lint/style/useImportType: AssemblyScript has no imports of types alone

import { events, kv, Request, Response } from "mayfly";

export function handle(req: Request): Response {
  const event = events.from(req);
  if (event === null) return Response.text("no event", 400);
  kv.open("counted").increment(event.id);
  return new Response(204);
}

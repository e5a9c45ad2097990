// Notes how long after the time in its data an event came, for bench/events.ts.
// biome-ignore-all lint/style/useImportType: AssemblyScript has no imports of types alone

import { events, kv, now, Request, Response } from "mayfly";

export function handle(req: Request): Response {
  const startedAtMs = now();
  const event = events.from(req);
  if (event === null) return Response.text("no event", 400);
  const publishedAtMs = <i64>F64.parseFloat(event.text());
  kv.open("started").set(event.id, (startedAtMs - publishedAtMs).toString());
  return new Response(204);
}

// Notes what starts it, and does as the event says, for test/flow/events.test.ts.
// biome-ignore-all lint/style/useImportType: AssemblyScript has no imports of types alone

import { CloudEvent, events, kv, log, Request, Response } from "mayfly";

export function handle(req: Request): Response {
  const event = events.from(req);
  if (event === null) {
    const made = CloudEvent.text("made", req.text()).setExtension("partitionkey", "7");
    made.subject = "ü";
    return Response.text(events.publish("notes", made));
  }
  const seen = kv.open("seen");
  seen.increment("count-" + event.type);
  if (event.type === "fails") {
    log.warn("attempt " + (req.header("x-mayfly-event-attempt") || "none"));
    return Response.text("not today", 503);
  }
  if (event.type === "traps") unreachable();
  if (event.type === "loops") events.publish("notes", new CloudEvent("loops"));
  const parts = [event.source, event.subject || "none", event.extension("partitionkey") || "none"];
  seen.set(
    "event-" + event.id,
    parts.concat([req.path, event.dataContentType || "none", event.text()]).join("|"),
  );
  return new Response(204);
}

// Keeps a log of every change of the links of url-shortener, a line of JSON each, in one blob an hour.
//
//   mayfly trigger add audit-log on-links store=links values=true concurrency=1
//   curl http://127.0.0.1:4747/fn/audit-log
//
// Events come at least once: a line that is there is not written again. One at a time, because a blob is
// read, made longer and written back.

import { blobs, CloudEvent, events, JSON, JsonObject, Request, Response } from "mayfly";

const BUCKET = "audit";

export function handle(req: Request): Response {
  const event = events.from(req);
  if (event === null) return latest();
  const time = event.time;
  if (time === null) return Response.text("The event has no time\n", 400);
  // 2026-11-24T09:26:31.512Z: the hour of the change, not of its delivery.
  append(time.slice(0, 13) + ".jsonl", event.id, lineOf(event, time));
  return new Response(204);
}

function append(key: string, id: string, line: string): void {
  const bucket = blobs.open(BUCKET);
  const stored = bucket.get(key);
  const before = stored === null ? "" : stored.text();
  if (before.includes('"id":"' + id + '"')) return;
  bucket.putText(key, before + line + "\n", "application/x-ndjson");
}

function lineOf(event: CloudEvent, time: string): string {
  const line = new JsonObject().set("id", event.id).set("time", time).set("change", event.type);
  return line.set("data", JSON.parse(event.text())).toString();
}

/** The last hour in which there were changes. */
function latest(): Response {
  const bucket = blobs.open(BUCKET);
  let page = bucket.list();
  while (page.cursor !== null) page = bucket.list("", page.cursor);
  if (page.blobs.length === 0) return Response.text("No changes yet\n");
  const last = bucket.get(page.blobs[page.blobs.length - 1].key);
  return Response.text(last === null ? "" : last.text());
}

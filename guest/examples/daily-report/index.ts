// Writes a table of the visits that url-shortener has counted, each night, into a bucket.
//
//   mayfly trigger add daily-report nightly cron="5 0 * * *" timeZone=Europe/Zurich
//   curl http://127.0.0.1:4747/fn/daily-report               the reports there are
//   curl http://127.0.0.1:4747/fn/daily-report/2026-11-24    one of them
//
// A report is named by the day of its instant, so that one that is written twice is the same one.

import { blobs, events, kv, log, Request, Response } from "mayfly";

const BUCKET = "reports";

export function handle(req: Request): Response {
  const event = events.from(req);
  if (event === null) return req.path === "/" ? index() : report(req.path.slice(1));
  const time = event.time;
  if (time === null) return Response.text("The event has no time\n", 400);
  const day = time.slice(0, 10);
  blobs.open(BUCKET).putText(day + ".csv", table(), "text/csv; charset=utf-8");
  log.info("wrote the report of " + day);
  return new Response(204);
}

function table(): string {
  const visits = kv.open("visits");
  const links = kv.open("links");
  let text = "name,visits,link\n";
  let cursor: string | null = null;
  do {
    const page = visits.list("", cursor);
    for (let i = 0; i < page.keys.length; i++) {
      const name = page.keys[i];
      const link = links.get(name);
      text += field(name) + "," + (visits.get(name) || "0") + "," + field(link === null ? "" : link) + "\n";
    }
    cursor = page.cursor;
  } while (cursor !== null);
  return text;
}

/** RFC 4180, section 2. */
function field(text: string): string {
  return '"' + text.replaceAll('"', '""') + '"';
}

function index(): Response {
  const found = blobs.open(BUCKET).list().blobs;
  if (found.length === 0) return Response.text("No reports yet\n");
  let text = "";
  for (let i = 0; i < found.length; i++) text += found[i].key.replace(".csv", "") + "\n";
  return Response.text(text);
}

function report(day: string): Response {
  const stored = blobs.open(BUCKET).get(day + ".csv");
  if (stored === null) return Response.text("No report of that day\n", 404);
  return Response.bytes(stored.body, stored.contentType);
}

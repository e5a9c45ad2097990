// Sends the time once a second as server-sent events, as a page with an `EventSource` reads them.
//
//   curl -N 'http://127.0.0.1:4747/fn/ticker/?count=5'

import { now, Request, Response, sleep } from "mayfly";

const COUNT_MAX = 60;

export function handle(req: Request): Response {
  const count = numberOf(req.query("count"), 3, COUNT_MAX);
  const everyMs = numberOf(req.query("every"), 1000, 10000);
  // A client whose connection broke says which event it had last, and gets the ones after it.
  const last = numberOf(req.header("last-event-id"), 0, count);

  const out = Response.events().header("access-control-allow-origin", "*");
  for (let n = last + 1; n <= count; n++) {
    if (n > last + 1) sleep(everyMs);
    out.send(new Date(now()).toISOString(), "tick", n.toString());
  }
  return out.end();
}

function numberOf(text: string | null, other: i32, max: i32): i32 {
  if (text === null) return other;
  const value = I32.parseInt(text);
  return value < 0 ? 0 : value > max ? max : value;
}

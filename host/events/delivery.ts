// One attempt to deliver an event: a POST to its function in the binary mode of CloudEvents' HTTP binding.
// An answer of 200 to 299 takes it off the queue.

import { randomUUID } from "node:crypto";
import type { HostEvent } from "../event.ts";
import { namespaceOf, plainName } from "../namespace.ts";
import { Traces } from "../trace-context.ts";
import { type AttemptParts, attemptCall } from "./attempts.ts";
import { deliveryHeaders } from "./cloud-events.ts";
import type { DispatcherParts } from "./dispatcher.ts";

/** A delivery takes no part in a trace; the call that it makes does. */
const passedOn = new Traces(null);

export function deliveryAttempt(parts: AttemptParts): DispatcherParts["attempt"] {
  return async ({ function: qualified, event }, { path }, attempt) => {
    const name = plainName(qualified);
    const call = {
      name,
      kind: "event" as const,
      namespace: namespaceOf(qualified),
      method: "POST",
      url: `http://${name}.mayfly.internal${path}`,
      ...pathAndQuery(path),
      headers: headersOf(name, event, attempt),
      body: event.data,
      requestId: randomUUID(),
      depth: event.depth,
    };
    await attemptCall(parts, call, (status) => status >= 200 && status <= 299);
    return {};
  };
}

function headersOf(name: string, event: HostEvent, attempt: number): string[] {
  const own = ["host", `${name}.mayfly.internal`, "x-mayfly-event-attempt", String(attempt)];
  return [...own, ...traceHeaders(event), ...deliveryHeaders(event)];
}

/** CloudEvents' extension for distributed tracing: the call goes on with the trace that led to the event. */
function traceHeaders({ attributes: { traceparent, tracestate } }: HostEvent): string[] {
  // What is none is what the event says, and no header.
  const trace = passedOn.of(traceparent, tracestate);
  if (trace === null) return [];
  const state = trace.tracestate === "" ? [] : ["tracestate", trace.tracestate];
  return ["traceparent", trace.traceparent, ...state];
}

function pathAndQuery(target: string): { path: string; query: string } {
  const mark = target.indexOf("?");
  return mark === -1
    ? { path: target, query: "" }
    : { path: target.slice(0, mark), query: target.slice(mark + 1) };
}

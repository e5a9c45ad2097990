// Calls as spans in the JSON form of OTLP (opentelemetry-proto 1.x, "JSON Protobuf Encoding"): one span for the
// call, and one below it for each phase. A function of what it is given.

import { createHash } from "node:crypto";
import type { EndedCall } from "../ended-call.ts";
import type { Timings } from "../invocation.ts";
import { classOf } from "./call-series.ts";

/** opentelemetry.proto.trace.v1: SpanKind and StatusCode. */
const kindOf = { http: 2, internal: 1, event: 5, async: 5 } as const;
const internalKind = 1;
const statusError = 2;

type Value =
  | { readonly stringValue: string }
  | { readonly intValue: string }
  | { readonly doubleValue: number };
type Attribute = { readonly key: string; readonly value: Value };

/** Phases one after the other, as they take place. */
const phases = [
  "load",
  "compile",
  "queue",
  "instantiate",
  "run",
] as const satisfies readonly (keyof Timings)[];

export type Resource = {
  /** Names this run of the process. */
  readonly instance: string;
  readonly version: string;
  /** When the clock of the calls began, Unix ms (`performance.timeOrigin`). */
  readonly originMs: number;
};

/** The body of one export. */
export function otlpJson(calls: readonly EndedCall[], resource: Resource): string {
  return JSON.stringify({
    resourceSpans: [
      {
        resource: {
          attributes: [
            text("service.name", "mayfly"),
            text("service.version", resource.version),
            text("service.instance.id", resource.instance),
          ],
        },
        scopeSpans: [
          {
            scope: { name: "mayfly", version: resource.version },
            spans: calls.flatMap((call) => spansOf(call, resource.originMs)),
          },
        ],
      },
    ],
  });
}

function spansOf(call: EndedCall, originMs: number): object[] {
  const { trace, outcome, startMs, wallMs } = call;
  if (trace === null) return [];
  const { traceId, spanId, parent, tracestate } = trace;
  const beganMs = originMs + startMs;
  const span = {
    traceId,
    spanId,
    ...(parent !== null && { parentSpanId: parent.spanId }),
    ...(tracestate !== "" && { traceState: tracestate }),
    // Whether the trace goes on above, and above in another process (SpanFlags).
    flags: 1 + (parent === null ? 0 : 0x100 + (call.kind === "internal" ? 0 : 0x200)),
    name: `fn ${call.functionName}`,
    kind: kindOf[call.kind],
    startTimeUnixNano: nanos(beganMs),
    endTimeUnixNano: nanos(beganMs + wallMs),
    attributes: attributesOf(call),
    ...(outcome !== "ok" &&
      classOf(outcome) !== "caller" && { status: { code: statusError, message: outcome } }),
  };
  return [span, ...phaseSpans(call, beganMs, { traceId, parentSpanId: spanId })];
}

function attributesOf(call: EndedCall): Attribute[] {
  const { deployment, timings, outcome, status } = call;
  const attributes = [
    text("faas.name", call.functionName),
    text("mayfly.alias", call.alias),
    text("mayfly.outcome", outcome),
    text("mayfly.request_id", call.requestId),
    text("faas.trigger", call.kind === "http" || call.kind === "internal" ? "http" : "pubsub"),
    whole("http.request.body.size", call.bytesIn),
    whole("http.response.body.size", call.bytesOut),
    whole("mayfly.host_calls", timings.hostCalls ?? 0),
    { key: "mayfly.cpu_ms", value: { doubleValue: timings.cpu ?? 0 } },
  ];
  if (deployment !== null) attributes.push(text("faas.version", String(deployment.version)));
  if (status !== 0) attributes.push(whole("http.response.status_code", status));
  return attributes;
}

type Above = { readonly traceId: string; readonly parentSpanId: string };

/**
 * The host knows how long each phase took, not when each began: they are put one behind the other, up to the
 * end of the call. What the guest waited in all is one span at the end of its run.
 */
function phaseSpans({ timings, wallMs }: EndedCall, beganMs: number, above: Above): object[] {
  const { wait = 0 } = timings;
  const durations = phases.map((phase) => (timings[phase] ?? 0) + (phase === "run" ? wait : 0));
  const sumMs = durations.reduce((sum, ms) => sum + ms, 0);
  // What came before was the request on its way in.
  let atMs = beganMs + Math.max(0, wallMs - sumMs);
  const spans: object[] = [];
  const add = (name: string, fromMs: number, toMs: number, parentSpanId: string): string => {
    const spanId = spanIdOf(above.parentSpanId, name);
    const times = { startTimeUnixNano: nanos(fromMs), endTimeUnixNano: nanos(toMs) };
    spans.push({
      traceId: above.traceId,
      spanId,
      parentSpanId,
      flags: 0x101,
      name,
      kind: internalKind,
      ...times,
    });
    return spanId;
  };
  for (const [index, phase] of phases.entries()) {
    const ms = durations[index] ?? 0;
    if (timings[phase] === undefined && ms === 0) continue;
    const spanId = add(phase, atMs, atMs + ms, above.parentSpanId);
    atMs += ms;
    if (phase === "run" && wait > 0) add("wait", atMs - wait, atMs, spanId);
  }
  return spans;
}

/** Unix nanoseconds, which are more than a number can tell apart: microseconds are. */
function nanos(ms: number): string {
  return `${Math.round(ms * 1_000)}000`;
}

/** As good as chance, and made of what there is. */
function spanIdOf(parentSpanId: string, name: string): string {
  return createHash("sha256").update(`${parentSpanId}/${name}`).digest("hex").slice(0, 16);
}

function text(key: string, stringValue: string): Attribute {
  return { key, value: { stringValue } };
}

function whole(key: string, value: number): Attribute {
  return { key, value: { intValue: String(value) } };
}

import assert from "node:assert/strict";
import { test } from "node:test";
import { otlpJson } from "../../host/observe/otlp-json.ts";
import { Traces } from "../../host/trace-context.ts";
import { endedCall } from "./ended.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const parentId = "b7ad6b7169203331";
const resource = { instance: "run", version: "1.2.3", originMs: Date.UTC(2026, 0, 1) };

type Span = {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes?: { readonly key: string; readonly value: Record<string, unknown> }[];
  readonly status?: { readonly code: number; readonly message: string };
};

function spansOf(...calls: Parameters<typeof otlpJson>[0]): Span[] {
  const document = JSON.parse(otlpJson(calls, resource)) as {
    resourceSpans: [{ resource: { attributes: unknown[] }; scopeSpans: [{ spans: Span[] }] }];
  };
  return document.resourceSpans[0].scopeSpans[0].spans;
}

const trace = () => new Traces(1).of(`00-${traceId}-${parentId}-01`, "a=b");

test("a call is a span of its trace, with its phases below it, one after the other, within its time", () => {
  const timings = { queue: 1, load: 2, compile: 3, instantiate: 4, run: 5, wait: 6, cpu: 5 };
  const spans = spansOf(endedCall({ trace: trace(), timings, wallMs: 30, startMs: 1_000 }));
  const [call, ...phases] = spans;
  assert.ok(call);
  assert.deepEqual(
    [call.traceId, call.parentSpanId, call.name, call.kind],
    [traceId, parentId, "fn hello", 2],
  );
  assert.deepEqual(
    phases.map(({ name }) => name),
    ["load", "compile", "queue", "instantiate", "run", "wait"],
  );
  const run = phases.find(({ name }) => name === "run");
  let atNs = 0n;
  for (const span of phases) {
    assert.equal(span.traceId, traceId);
    assert.equal(span.parentSpanId, span.name === "wait" ? run?.spanId : call.spanId);
    assert.ok(BigInt(span.startTimeUnixNano) >= BigInt(call.startTimeUnixNano));
    assert.ok(BigInt(span.endTimeUnixNano) <= BigInt(call.endTimeUnixNano), span.name);
    if (span.name !== "wait") assert.ok(BigInt(span.startTimeUnixNano) >= atNs);
    atNs = BigInt(span.startTimeUnixNano);
  }
  assert.equal(new Set(spans.map(({ spanId }) => spanId)).size, spans.length);
  for (const { spanId } of spans) assert.match(spanId, /^[0-9a-f]{16}$/);
  assert.equal(BigInt(call.endTimeUnixNano) - BigInt(call.startTimeUnixNano), 30_000_000n);
  assert.equal(BigInt(call.startTimeUnixNano), BigInt(resource.originMs + 1_000) * 1_000_000n);
});

test("whole numbers are texts, as JSON of protocol buffers has 64 bits", () => {
  const [call] = spansOf(endedCall({ trace: trace(), status: 201 }));
  const values = new Map(call?.attributes?.map(({ key, value }) => [key, value]));
  assert.deepEqual(values.get("http.response.status_code"), { intValue: "201" });
  assert.deepEqual(values.get("faas.version"), { stringValue: "1" });
  assert.deepEqual(values.get("mayfly.cpu_ms"), { doubleValue: 1.5 });
});

test("a failure of function or host is an error, what the caller did wrong is not", () => {
  const statusOf = (outcome: "guest_trapped" | "internal" | "concurrency_limited" | "client_gone" | "ok") =>
    spansOf(endedCall({ trace: trace(), outcome }))[0]?.status;
  assert.deepEqual(statusOf("guest_trapped"), { code: 2, message: "guest_trapped" });
  assert.deepEqual(statusOf("internal"), { code: 2, message: "internal" });
  assert.equal(statusOf("concurrency_limited"), undefined);
  assert.equal(statusOf("ok"), undefined);
});

test("a call that had not begun has a span alone", () => {
  const refused = endedCall({ trace: trace(), deployment: null, outcome: "function_not_found", timings: {} });
  assert.equal(spansOf(refused).length, 1);
});

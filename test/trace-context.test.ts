import assert from "node:assert/strict";
import { test } from "node:test";
import { headerIn, Traces } from "../host/trace-context.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const parentId = "b7ad6b7169203331";
const sampled = `00-${traceId}-${parentId}-01`;
const unsampled = `00-${traceId}-${parentId}-00`;

test("who takes no part in traces passes on what came, and says nothing where nothing did", () => {
  const traces = new Traces(null);
  assert.equal(traces.of(undefined), null);
  assert.equal(traces.of(sampled, "a=b")?.traceparent, sampled);
  assert.equal(traces.of(sampled, "a=b")?.tracestate, "a=b");
  assert.equal(traces.of(unsampled)?.traceparent, unsampled);
  assert.equal(traces.of(sampled)?.isSampled, false);
});

test("whoever began the trace has decided whether it is sampled", () => {
  for (const share of [0, 1]) {
    const traces = new Traces(share);
    const [one, other] = [traces.of(sampled), traces.of(unsampled)];
    assert.equal(one?.isSampled, true);
    assert.equal(other?.isSampled, false);
    assert.equal(one.traceId, traceId);
    assert.equal(one.parent?.spanId, parentId);
    assert.match(one.traceparent, new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
    assert.notEqual(one.spanId, parentId);
    assert.match(other.traceparent, new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`));
  }
});

test("of calls that nobody has decided about the share is sampled, each in a trace of its own", () => {
  let chance = 0.01;
  const traces = new Traces(0.01, () => chance);
  assert.equal(traces.of(undefined)?.isSampled, false);
  chance = 0.0099;
  const [one, other] = [traces.of(undefined), traces.of(undefined)];
  assert.equal(one?.isSampled, true);
  assert.notEqual(one.traceId, other?.traceId);
  assert.equal(one.traceId, one.traceId);
  assert.equal(one.parent, null);
  assert.match(one.traceparent, /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
});

test("a traceparent that is malformed is none: the trace begins here, without its state", () => {
  for (const malformed of [
    "",
    "garbage",
    sampled.toUpperCase(),
    sampled.slice(0, -1),
    `${sampled}0`,
    `${sampled}-more`,
    ` ${sampled}`,
    `${sampled}, ${sampled}`,
    `ff-${traceId}-${parentId}-01`,
    `00-${"0".repeat(32)}-${parentId}-01`,
    `00-${traceId}-${"0".repeat(16)}-01`,
    `00-${traceId.slice(1)}-${parentId}-01`,
    `00-${traceId}-${parentId}-0x`,
    `00_${traceId}_${parentId}_01`,
    "0".repeat(10_000),
  ]) {
    assert.equal(new Traces(null).of(malformed, "a=b"), null, malformed);
    const trace = new Traces(1).of(malformed, "a=b");
    assert.notEqual(trace?.traceId, traceId, malformed);
    assert.equal(trace?.tracestate, "");
  }
});

test("a later version may say more, of which what is known is taken", () => {
  assert.equal(new Traces(1).of(`01-${traceId}-${parentId}-01-what-the-future-has`)?.traceId, traceId);
  assert.equal(new Traces(1).of(`00-${traceId}-${parentId}-ff`)?.isSampled, true);
});

test("a tracestate that cannot be passed on as it is is left out", () => {
  const stateOf = (state: string | string[]): string =>
    new Traces(1).of(sampled, state)?.tracestate ?? "none";
  assert.equal(stateOf("vendor=value"), "vendor=value");
  assert.equal(stateOf(["a=1", "b=2"]), "a=1,b=2");
  assert.equal(stateOf("a".repeat(512)).length, 512);
  assert.equal(stateOf("a".repeat(513)), "");
  assert.equal(stateOf("a=\u00e9"), "");
  assert.equal(stateOf("a=b\r\nx: y"), "");
});

test("headerIn finds a header in any case, among its names alone", () => {
  const headers = ["x", "traceparent", "TraceParent", "1", "traceparent", "2"];
  assert.equal(headerIn(headers, "traceparent"), "1");
  assert.equal(headerIn(headers, "tracestate"), undefined);
});

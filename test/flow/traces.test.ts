// Traces through a host: taken in, exported with their phases, and passed on to what functions call and to the
// events that they lead to. The collector is one of this test's.

import { strict as assert } from "node:assert";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { answering, mirror } from "../support/guests.ts";
import { fetchMessage, readRequestMessage } from "../support/messages.ts";
import { TestHost } from "../support/test-host.ts";
import { fetcher, fetching } from "./fetch-guest.ts";
import { until } from "./supervised-host.ts";

type Span = {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly name: string;
  readonly kind: number;
};

const spans: Span[] = [];
const collector = createServer((request, response) => {
  let body = "";
  request.setEncoding("utf8").on("data", (text: string) => {
    body += text;
  });
  request.on("end", () => {
    const { resourceSpans } = JSON.parse(body) as { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] };
    for (const { scopeSpans } of resourceSpans) for (const scope of scopeSpans) spans.push(...scope.spans);
    response.end("{}");
  });
});
await new Promise<void>((resolve) => collector.listen(0, "127.0.0.1", resolve));
const { port } = collector.address() as AddressInfo;
const host = await TestHost.start({ traceEndpoint: `http://127.0.0.1:${port}/v1/traces`, traceSample: 0 });
after(async () => {
  await host.close();
  collector.closeAllConnections();
  collector.close();
});
await host.deploy("mirror", mirror());
await host.deploy("hello", answering("hello"));
await host.deploy("fetcher", fetcher());
const { fetch } = fetching(host);

const newTrace = (): string => Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("hex");
const parentId = "b7ad6b7169203331";

async function spansOf(traceId: string, calls: number): Promise<Span[]> {
  const found = (): Span[] => spans.filter((span) => span.traceId === traceId);
  await until(() => found().filter(({ name }) => name.startsWith("fn ")).length >= calls, 30_000);
  return found();
}

test("a call that was sampled by its caller is exported as a part of the caller's trace", async () => {
  const traceId = newTrace();
  const headers = { traceparent: `00-${traceId}-${parentId}-01`, tracestate: "a=b" };
  const answer = await host.call("hello", { headers });
  assert.equal(answer.status, 200);
  const found = await spansOf(traceId, 1);
  const call = found.find(({ name }) => name === "fn hello");
  assert.deepEqual([call?.parentSpanId, call?.traceState, call?.kind], [parentId, "a=b", 2]);
  const phases = found.filter(({ parentSpanId }) => parentSpanId === call?.spanId).map(({ name }) => name);
  assert.ok(phases.includes("queue") && phases.includes("run"), phases.join());
  // A call is found by its trace, and its trace by the call.
  const listed = await host.ask("GET", `/v1/invocations/${answer.header("x-mayfly-request-id")}`);
  assert.equal((listed.json() as { traceId: string }).traceId, traceId);
});

test("what a function calls is below it, and gets the trace in its headers", async () => {
  const traceId = newTrace();
  const answer = await host.call("fetcher", {
    body: fetchMessage({ url: "http://mirror.mayfly.internal/" }),
    headers: { traceparent: `00-${traceId}-${parentId}-01`, tracestate: "a=b" },
  });
  const { headers } = readRequestMessage(answer.bytes);
  const found = await spansOf(traceId, 2);
  const [outer, inner] = ["fn fetcher", "fn mirror"].map((wanted) =>
    found.find(({ name }) => name === wanted),
  );
  assert.equal(inner?.parentSpanId, outer?.spanId);
  const seen = new Map(headers.map(([name, value]) => [name, value]));
  assert.equal(seen.get("traceparent"), `00-${traceId}-${outer?.spanId}-01`);
  assert.equal(seen.get("tracestate"), "a=b");
});

test("a call that nobody traces is not exported, and tells what it calls that it is not sampled", async () => {
  const { headers } = readRequestMessage((await fetch("http://mirror.mayfly.internal/")).bytes);
  const seen = new Map(headers.map(([name, value]) => [name, value]));
  const traceparent = seen.get("traceparent") ?? "";
  assert.match(traceparent, /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  assert.equal(spans.filter((span) => traceparent.includes(span.traceId)).length, 0);
});

test("what a function says of a trace itself stays", async () => {
  const own = `00-${newTrace()}-${parentId}-00`;
  const answer = await fetch({ url: "http://mirror.mayfly.internal/", headers: [["Traceparent", own]] });
  const { headers } = readRequestMessage(answer.bytes);
  assert.deepEqual(
    headers.filter(([name]) => name.toLowerCase() === "traceparent").map(([, value]) => value),
    [own],
  );
});

test("an event carries the trace of its publication to the function that it starts", async () => {
  const settings = { kind: "topic", topic: "traced" };
  assert.equal((await host.send("PUT", "/v1/functions/hello/triggers/traced", settings)).status, 201);
  const traceId = newTrace();
  const published = await host.ask("POST", "/v1/topics/traced", {
    body: JSON.stringify({ specversion: "1.0", id: "1", source: "/x", type: "t" }),
    headers: {
      "content-type": "application/cloudevents+json",
      traceparent: `00-${traceId}-${parentId}-01`,
    },
  });
  assert.equal(published.status, 202, published.text);
  const call = (await spansOf(traceId, 1)).find(({ name }) => name === "fn hello");
  assert.deepEqual([call?.parentSpanId, call?.kind], [parentId, 5]);
});

test("an asynchronous call goes on with the trace of its request", async () => {
  const traceId = newTrace();
  const headers = { prefer: "respond-async", traceparent: `00-${traceId}-${parentId}-01` };
  assert.equal((await host.call("hello", { headers })).status, 202);
  const call = (await spansOf(traceId, 1)).find(({ name }) => name === "fn hello");
  assert.equal(call?.parentSpanId, parentId);
});

test("a traceparent that is malformed changes nothing for the caller", async () => {
  for (const traceparent of ["garbage", `ff-${newTrace()}-${parentId}-01`, "0".repeat(8_000)]) {
    const answer = await host.call("hello", { headers: { traceparent } });
    assert.deepEqual([answer.status, answer.text], [200, "hello"]);
  }
});

test("calls are answered as ever while the collector hangs, and what is lost is in the metrics", async () => {
  const hanging = createServer(() => {});
  await new Promise<void>((resolve) => hanging.listen(0, "127.0.0.1", resolve));
  const endpoint = `http://127.0.0.1:${(hanging.address() as AddressInfo).port}/v1/traces`;
  const traced = await TestHost.start({ traceEndpoint: endpoint, traceSample: 1 });
  await traced.deploy("hello", answering("hello"));
  for (let call = 0; call < 50; call += 1) assert.equal((await traced.call("hello")).status, 200);
  const { text } = await traced.ask("GET", "/metrics");
  assert.match(text, /^mayfly_traces_exported_total 0$/m);
  assert.match(text, /^mayfly_traces_dropped_total\{reason="queue_full"\} 0$/m);
  await traced.close();
  hanging.closeAllConnections();
  hanging.close();
});

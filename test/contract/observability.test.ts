// What a host tells of its calls: those that ended lately, what functions do just now, and lines of the busiest
// functions in /metrics.

import { strict as assert } from "node:assert";
import { after, test } from "node:test";
import { limits } from "../../host/limits.ts";
import { until } from "../flow/supervised-host.ts";
import { answering, order, puppet } from "../support/guests.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";

const host = await TestHost.start();
after(() => host.close());
await host.deploy("hello", answering("hello"));
await host.deploy("puppet", puppet());

type Listed = Record<string, unknown> & { readonly id: string };
type Page = { readonly invocations: Listed[]; readonly cursor: string | null; readonly skipped: number };

async function list(query: string): Promise<Page> {
  const answer = await host.ask("GET", `/v1/invocations?${query}`);
  assert.equal(answer.status, 200, answer.text);
  return answer.json() as Page;
}

test("calls that ended lately are listed, newest first, with their times and what they used", async () => {
  const ids: (string | undefined)[] = [];
  for (let call = 0; call < 3; call += 1) {
    ids.push((await host.call("hello", { body: "abc" })).header("x-mayfly-request-id"));
  }
  const { invocations } = await list("function=hello&outcome=any");
  assert.deepEqual(
    invocations.map(({ id }) => id),
    ids.toReversed(),
  );
  const [newest] = invocations;
  assert.ok(newest);
  const { phases, wallMs, cpuMs, gbSeconds, endedAt, ...rest } = newest;
  assert.deepEqual(rest, {
    id: ids[2],
    invocationId: null,
    kind: "http",
    function: "hello",
    version: 1,
    alias: "live",
    state: "succeeded",
    outcome: "ok",
    status: 200,
    bytesIn: 3,
    bytesOut: 5,
    hostCalls: 1,
    traceId: null,
  });
  assert.ok(Number((phases as { run: number }).run) >= 0 && Number(wallMs) > 0);
  assert.ok(Number(cpuMs) > 0 && Number(gbSeconds) > 0);
  assert.match(String(endedAt), /^\d{4}-/);
});

test("a failure is found by its outcome, by failed, and by its id", async () => {
  const answer = await host.call("puppet", { body: order("trap") });
  const id = answer.header("x-mayfly-request-id");
  for (const query of ["outcome=failed", "outcome=guest_trapped", "function=puppet&outcome=any"]) {
    assert.equal((await list(query)).invocations[0]?.id, id, query);
  }
  assert.deepEqual((await list("outcome=cpu_exceeded")).invocations, []);
  assert.deepEqual((await list("function=hello&outcome=failed")).invocations, []);
  const one = await host.ask("GET", `/v1/invocations/${id}`);
  const found = one.json() as Record<string, unknown>;
  assert.deepEqual([found["outcome"], found["state"], found["status"]], ["guest_trapped", "failed", 502]);
  assertProblem(await host.ask("GET", "/v1/invocations/nobody"), 404, "invocation_not_found");
});

test("a call of a name that nobody has is listed without a version", async () => {
  await host.call("absent");
  const [call] = (await list("function=absent&outcome=failed")).invocations;
  assert.deepEqual(
    [call?.["outcome"], call?.["version"], call?.["status"]],
    ["function_not_found", null, 404],
  );
});

test("an attempt at an asynchronous call says which one it was", async () => {
  const accepted = await host.call("hello", { headers: { prefer: "respond-async" } });
  const { id } = accepted.json() as { id: string };
  await until(async () => (await list("function=hello&state=succeeded")).invocations.length === 1, 20_000);
  const attempts = (await list("function=hello&outcome=ok")).invocations.filter(
    (call) => call["kind"] === "async",
  );
  assert.equal(attempts.length, 1);
  assert.equal(attempts[0]?.["invocationId"], id);
  assert.notEqual(attempts[0]?.id, id);
  // By its own id it is what it was.
  const whole = (await host.ask("GET", `/v1/invocations/${id}`)).json() as Record<string, unknown>;
  assert.equal((whole["answer"] as { status: number }).status, 200);
});

test("pages of them follow one another without a gap", async () => {
  for (let call = 0; call < 5; call += 1) await host.call("hello");
  const whole = (await list("function=hello&outcome=any")).invocations.map(({ id }) => id);
  const paged: string[] = [];
  let cursor: string | null = null;
  do {
    const page: Page = await list(
      `function=hello&outcome=any&limit=2${cursor === null ? "" : `&cursor=${cursor}`}`,
    );
    paged.push(...page.invocations.map(({ id }) => id));
    cursor = page.cursor;
  } while (cursor !== null);
  assert.deepEqual(paged, whole);
});

test("what is no outcome, or asks for both kinds of list, is refused", async () => {
  for (const query of [
    "outcome=",
    "outcome=bad",
    "outcome=ok&state=failed",
    "outcome=ok&limit=0",
    "outcome=ok&cursor=-1",
  ]) {
    assertProblem(await host.ask("GET", `/v1/invocations?${query}`), 400, "bad_request");
  }
});

test("/v1/traffic tells what functions did while it was asked", async () => {
  await host.call("hello");
  const asked = host.ask("GET", "/v1/traffic?seconds=2");
  // The watch has begun once the host says that it is being watched.
  const calls = 20;
  await new Promise((resolve) => setTimeout(resolve, 300));
  for (let call = 0; call < calls; call += 1) await host.call("hello");
  await host.call("puppet", { body: order("trap") });
  const answer = await asked;
  assert.equal(answer.status, 200, answer.text);
  const {
    total,
    functions,
    seconds,
    host: now,
  } = answer.json() as {
    seconds: number;
    host: Record<string, number>;
    total: { calls: number; errors: { guest: number } };
    functions: { function: string; calls: number; callsPerSecond: number; p50Ms: number; p99Ms: number }[];
  };
  assert.ok(seconds >= 2);
  assert.ok((now["threads"] ?? 0) >= 1);
  assert.ok(total.calls <= calls + 1 && total.errors.guest <= 1);
  const hello = functions.find((each) => each.function === "hello");
  if (hello !== undefined)
    assert.ok(hello.p50Ms > 0 && hello.p99Ms >= hello.p50Ms && hello.callsPerSecond > 0);
});

test("as many may watch at once as the limit says, and others when those are done", async () => {
  const watch = (seconds: number) => host.ask("GET", `/v1/traffic?seconds=${seconds}`);
  const watches = Array.from({ length: limits.trafficWatchersMax }, () => watch(4));
  let refused = await watch(0.1);
  await until(async () => {
    if (refused.status !== 503) refused = await watch(0.1);
    return refused.status === 503;
  }, 20_000);
  assertProblem(refused, 503, "overloaded");
  for (const { status } of await Promise.all(watches)) assert.ok(status === 200 || status === 503);
  assert.equal((await watch(0.1)).status, 200);
});

test("/v1/traffic refuses what is no time", async () => {
  for (const query of [
    "seconds=0",
    "seconds=61",
    "seconds=NaN",
    "seconds=1e9",
    "limit=0",
    "limit=1001",
    "x=1",
  ]) {
    assertProblem(await host.ask("GET", `/v1/traffic?${query}`), 400, "bad_request");
  }
});

test("a busy function has lines of its own in /metrics, as a histogram and by how calls went", async () => {
  await host.call("hello");
  const { text } = await host.ask("GET", "/metrics");
  const value = (line: string): number => {
    const row = text.split("\n").find((each) => each.startsWith(`${line} `));
    assert.ok(row !== undefined, line);
    return Number(row.split(" ")[1]);
  };
  const count = value('mayfly_function_call_seconds_count{function="hello"}');
  assert.ok(count > 0);
  assert.equal(value('mayfly_function_call_seconds_bucket{function="hello",le="+Inf"}'), count);
  assert.equal(value('mayfly_function_calls_total{function="hello",result="ok"}'), count);
  assert.ok(value('mayfly_function_calls_total{function="puppet",result="guest"}') >= 1);
  assert.ok(value('mayfly_function_cpu_seconds_total{function="hello"}') > 0);
  assert.ok(value('mayfly_call_seconds_bucket{le="+Inf"}') >= count);
  let before = 0;
  for (const row of text.split("\n").filter((each) => each.startsWith("mayfly_call_seconds_bucket"))) {
    const bucket = Number(row.split(" ")[1]);
    assert.ok(bucket >= before, row);
    before = bucket;
  }
  for (const name of [
    "mayfly_store_writes_pending",
    "mayfly_queued_events",
    "mayfly_guest_memory_bytes_max",
  ]) {
    assert.ok(value(name) >= 0);
  }
  assert.ok(value('mayfly_store_writes_total{outcome="stored"}') > 0);
  assert.ok(value("mayfly_store_bytes") > 0);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../../host/limits.ts";
import { RecentCalls } from "../../host/observe/recent-calls.ts";
import { deploymentOf, endedCall } from "./ended.ts";

const all = { among: () => true, outcome: null };
const failed = { among: () => true, outcome: "failed" } as const;

test("of one second as many calls that went well are kept as the limit says, the rest are counted", () => {
  const recent = new RecentCalls();
  const calls = limits.recentCallsPerSecondMax + 10;
  for (let call = 0; call < calls; call += 1) recent.keep(endedCall({ startMs: 5_000 + call }));
  assert.equal(recent.list(all, Number.MAX_SAFE_INTEGER, 10_000).length, limits.recentCallsPerSecondMax);
  assert.equal(recent.skipped, 10);
  recent.keep(endedCall({ startMs: 6_001 }));
  assert.equal(recent.list(all, Number.MAX_SAFE_INTEGER, 10_000).length, limits.recentCallsPerSecondMax + 1);
});

test("every failure of a function is kept, however busy the host is, up to the last so many", () => {
  const recent = new RecentCalls();
  const calls = limits.recentFailuresMax + 5;
  for (let call = 0; call < calls; call += 1) {
    recent.keep(endedCall({ outcome: "guest_trapped", requestId: `id-${call}` }));
    recent.keep(endedCall());
  }
  const found = recent.list(failed, Number.MAX_SAFE_INTEGER, 100_000);
  assert.equal(found.length, limits.recentFailuresMax);
  assert.equal(found[0]?.id, `id-${calls - 1}`);
  assert.equal(found.at(-1)?.id, "id-5");
});

test("calls of names that nobody has push no failure of a function out", () => {
  const recent = new RecentCalls();
  recent.keep(endedCall({ outcome: "cpu_exceeded", requestId: "mine" }));
  for (let call = 0; call < 2 * limits.recentFailuresMax; call += 1) {
    recent.keep(endedCall({ deployment: null, outcome: "function_not_found" }));
  }
  assert.equal(recent.get("mine")?.outcome, "cpu_exceeded");
});

test("of a name or an alias that somebody makes up no more is kept than one can have", () => {
  const recent = new RecentCalls();
  const long = "x".repeat(16_000);
  const made = { deployment: null, functionName: long, alias: long, outcome: "function_not_found" } as const;
  recent.keep(endedCall(made));
  const [call] = recent.list(all, Number.MAX_SAFE_INTEGER, 1);
  assert.deepEqual([call?.function.length, call?.alias.length], [128, 128]);
});

test("they are listed newest first, by function and outcome, in pages", () => {
  const recent = new RecentCalls();
  for (const [id, name, outcome] of [
    ["1", "a", "ok"],
    ["2", "b", "guest_trapped"],
    ["3", "a", "cpu_exceeded"],
    ["4", "a", "ok"],
  ] as const) {
    recent.keep(endedCall({ deployment: deploymentOf(name), outcome, requestId: id }));
  }
  const ids = (filter: Parameters<RecentCalls["list"]>[0], before = Number.MAX_SAFE_INTEGER, limit = 10) =>
    recent.list(filter, before, limit).map(({ id }) => id);
  assert.deepEqual(ids(all), ["4", "3", "2", "1"]);
  assert.deepEqual(ids(failed), ["3", "2"]);
  assert.deepEqual(ids({ among: (of) => of === "a", outcome: null }), ["4", "3", "1"]);
  assert.deepEqual(ids({ among: (of) => of === "a", outcome: "ok" }), ["4", "1"]);
  assert.deepEqual(ids({ among: () => true, outcome: "cpu_exceeded" }), ["3"]);
  assert.deepEqual(ids(all, Number.MAX_SAFE_INTEGER, 3), ["4", "3", "2"]);
  assert.deepEqual(ids(all, 2), ["1"]);
});

test("of calls that share an id the last one is found", () => {
  const recent = new RecentCalls();
  recent.keep(
    endedCall({ requestId: "shared", outcome: "guest_trapped", deployment: deploymentOf("callee") }),
  );
  recent.keep(endedCall({ requestId: "shared", deployment: deploymentOf("caller") }));
  assert.equal(recent.get("shared")?.function, "caller");
  assert.equal(recent.get("absent"), null);
});

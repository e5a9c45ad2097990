import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../../host/limits.ts";
import { Traffic } from "../../host/observe/traffic.ts";
import { UsageMeter } from "../../host/observe/usage-meter.ts";
import type { UsageBatch, UsageFigures } from "../../host/usage.ts";
import { deploymentOf, endedCall } from "./ended.ts";

type Meter = { readonly meter: UsageMeter; readonly batches: UsageBatch[]; nowMs: number; fail: boolean };

/** A meter whose batches are kept, on a clock of its own. */
function meterOf(): Meter {
  const traffic = new Traffic();
  const batches: UsageBatch[] = [];
  const parts: Meter = {
    batches,
    nowMs: Date.UTC(2026, 0, 1, 10, 59, 59),
    fail: false,
    meter: new UsageMeter({
      run: "run",
      trafficOf: (name) => traffic.of(name),
      now: () => parts.nowMs,
      onFault: () => {},
      add: async (batch) => {
        if (parts.fail) throw new Error("the disk is full");
        batches.push(batch);
      },
    }),
  };
  return parts;
}

const hello = deploymentOf("hello");

test("what is counted is stored once, in whole numbers, by outcome and alias", async () => {
  const { meter, batches } = meterOf();
  for (let call = 0; call < 3; call += 1) meter.count(hello, endedCall());
  meter.count(hello, endedCall({ outcome: "guest_trapped" }));
  meter.count(hello, endedCall({ alias: "canary" }));
  await meter.flush();
  await meter.flush();
  assert.equal(batches.length, 1);
  const [batch] = batches;
  assert.equal(batch?.sequence, 1);
  assert.equal(batch.hourMs, Date.UTC(2026, 0, 1, 10));
  const calls = batch.rows.map(({ outcome, alias, calls }) => `${alias} ${outcome} ${calls}`);
  assert.deepEqual(calls.sort(), ["canary ok 1", "live guest_trapped 1", "live ok 3"]);
  const ok = batch.rows.find(({ outcome, alias }) => outcome === "ok" && alias === "live");
  assert.deepEqual(ok, {
    function: "hello",
    version: 1,
    alias: "live",
    outcome: "ok",
    calls: 3,
    cpuUs: 4_500,
    wallUs: 6_000,
    waitUs: 0,
    pageMs: 9,
    bytesIn: 30,
    bytesOut: 60,
    hostCalls: 12,
  });
});

test("fractions of microseconds are not lost one by one", async () => {
  const { meter, batches } = meterOf();
  for (let round = 0; round < 10; round += 1) {
    meter.count(hello, endedCall({ wallMs: 0.0004, timings: { cpu: 0.0004, pageMs: 0.4 } }));
    await meter.flush();
  }
  const sum = (name: keyof UsageFigures): number =>
    batches.reduce((total, { rows }) => total + (rows[0]?.[name] ?? 0), 0);
  assert.equal(sum("calls"), 10);
  // 4 microseconds, and 4 pages for a millisecond, less what is under way.
  for (const name of ["wallUs", "cpuUs", "pageMs"] as const)
    assert.ok(sum(name) >= 3 && sum(name) <= 4, name);
});

test("a batch that could not be stored is handed over again as it was, and what came since follows", async () => {
  const parts = meterOf();
  const { meter, batches } = parts;
  parts.fail = true;
  meter.count(hello, endedCall());
  await assert.rejects(meter.flush(), /disk is full/);
  meter.count(hello, endedCall());
  meter.count(hello, endedCall());
  await assert.rejects(meter.flush(), /disk is full/);
  parts.fail = false;
  parts.nowMs += 3_600_000;
  await meter.close();
  assert.deepEqual(
    batches.map(({ sequence, rows }) => [sequence, rows[0]?.calls]),
    [
      [1, 1],
      [2, 2],
    ],
  );
});

test("it is stored by itself soon after the first call, and not again while nothing is called", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { meter, batches } = meterOf();
  context.mock.timers.tick(limits.usageFlushMs * 4);
  assert.equal(batches.length, 0);
  meter.count(hello, endedCall());
  context.mock.timers.tick(limits.usageFlushMs - 1);
  await Promise.resolve();
  assert.equal(batches.length, 0);
  context.mock.timers.tick(1);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(batches.length, 1);
  context.mock.timers.tick(limits.usageFlushMs * 10);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(batches.length, 1);
});

test("calls belong to the hour in which they are counted", async () => {
  const parts = meterOf();
  const { meter, batches } = parts;
  meter.count(hello, endedCall());
  await meter.flush();
  parts.nowMs = Date.UTC(2026, 0, 1, 11, 0, 0);
  meter.count(hello, endedCall());
  await meter.flush();
  assert.deepEqual(
    batches.map(({ hourMs }) => new Date(hourMs).getUTCHours()),
    [10, 11],
  );
});

test("a clock that jumps back loses nothing: what is counted then belongs to the hour it shows", async () => {
  const parts = meterOf();
  const { meter, batches } = parts;
  meter.count(hello, endedCall());
  await meter.flush();
  parts.nowMs = Date.UTC(2020, 5, 5, 5, 5);
  for (let call = 0; call < 7; call += 1) meter.count(hello, endedCall());
  await meter.flush();
  assert.deepEqual(
    batches.map(({ sequence, hourMs, rows }) => [sequence, hourMs, rows[0]?.calls]),
    [
      [1, Date.UTC(2026, 0, 1, 10), 1],
      [2, Date.UTC(2020, 5, 5, 5), 7],
    ],
  );
});

test("many versions are stored in several batches, each with a number of its own", async () => {
  const { meter, batches } = meterOf();
  const versions = limits.usageRowsPerBatchMax + 1;
  for (let id = 1; id <= versions; id += 1) meter.count(deploymentOf("f", id, id), endedCall());
  await meter.flush();
  assert.deepEqual(
    batches.map(({ sequence, rows }) => [sequence, rows.length]),
    [
      [1, limits.usageRowsPerBatchMax],
      [2, 1],
    ],
  );
});

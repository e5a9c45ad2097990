import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { limits } from "../../host/limits.ts";
import { openStores, type SqliteStores } from "../../host/store/sqlite/stores.ts";
import type { UsageBatch } from "../../host/usage.ts";

const hourMs = 3_600_000;

async function storesOf(context: TestContext): Promise<SqliteStores> {
  const folder = await mkdtemp(join(tmpdir(), "mayfly-usage-"));
  const stores = await openStores(join(folder, "mayfly.db"), (error) => {
    throw error;
  });
  context.after(async () => {
    await stores.close();
    await rm(folder, { recursive: true });
  });
  return stores;
}

function batch(sequence: number, rest: Partial<UsageBatch> = {}): UsageBatch {
  const figures = { cpuUs: 10, wallUs: 20, waitUs: 5, pageMs: 3, bytesIn: 1, bytesOut: 2, hostCalls: 4 };
  const row = { function: "f", version: 1, alias: "live", outcome: "ok", calls: 7, ...figures };
  return { run: "run", sequence, atMs: 1_000, hourMs: 0, rows: [row], ...rest };
}

test("a batch is added once, however often it is handed over, and to what there is", async (context) => {
  const { usage } = await storesOf(context);
  await usage.beginRun("run", 0);
  await usage.add(batch(1));
  await usage.add(batch(1));
  await Promise.all([usage.add(batch(2)), usage.add(batch(2)), usage.add(batch(3))]);
  const [sum] = usage.ofHour(0, ["function", "outcome"], { function: null });
  assert.deepEqual(sum, {
    function: "f",
    outcome: "ok",
    calls: 21,
    cpuUs: 30,
    wallUs: 60,
    waitUs: 15,
    pageMs: 9,
    bytesIn: 3,
    bytesOut: 6,
    hostCalls: 12,
  });
});

test("a batch of a run that is over is not added", async (context) => {
  const { usage } = await storesOf(context);
  await usage.beginRun("run", 0);
  await usage.endRun("run");
  await usage.add(batch(1));
  assert.deepEqual(usage.hours(0, hourMs), []);
});

test("a run that ended well leaves no gap, one that did not leaves one with its bounds", async (context) => {
  const { usage } = await storesOf(context);
  assert.equal(await usage.beginRun("first", 100), null);
  await usage.endRun("first");
  assert.equal(await usage.beginRun("second", 200), null);
  await usage.add(batch(1, { run: "second", atMs: 250 }));
  assert.deepEqual(await usage.beginRun("third", 300), { fromMs: 250, toMs: 300 });
  assert.deepEqual(usage.gaps(0, 1_000), [{ fromMs: 250, toMs: 300 }]);
  assert.deepEqual(usage.gaps(301, 1_000), []);
  assert.deepEqual(usage.gaps(0, 250), []);
});

test("the bounds of a gap are in order when the clock was set back between the runs", async (context) => {
  const { usage } = await storesOf(context);
  await usage.beginRun("first", 9_000);
  assert.deepEqual(await usage.beginRun("second", 1_000), { fromMs: 1_000, toMs: 9_000 });
});

test("the oldest hours go when there are too many, whatever the clock says", async (context) => {
  const { usage } = await storesOf(context);
  await usage.beginRun("run", 0);
  const hours = limits.usageHoursMax + 2;
  const adding: Promise<void>[] = [];
  for (let hour = 1; hour <= hours; hour += 1) {
    adding.push(usage.add(batch(hour, { hourMs: hour * hourMs })));
  }
  await Promise.all(adding);
  const kept = usage.hours(0, Number.MAX_SAFE_INTEGER);
  assert.equal(kept.length, limits.usageHoursMax);
  assert.equal(kept[0], 3 * hourMs);
  assert.deepEqual(usage.ofHour(hourMs, [], { function: null }), []);
  // A clock that is years ahead adds one hour, and takes away one.
  await usage.add(batch(hours + 1, { hourMs: hours * 10 * hourMs }));
  assert.equal(usage.hours(0, Number.MAX_SAFE_INTEGER)[0], 4 * hourMs);
});

// The simulator's parts, by cases small enough to work out by hand, and the published points of the Azure
// shape.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { azureShape, callsPerDayAt, durationSAt, memoryMbAt } from "../../bench/simulator/azure-shape.ts";
import { firstBound, hostsNeeded, sharesOf } from "../../bench/simulator/capacity.ts";
import { costRows, readCosts } from "../../bench/simulator/costs.ts";
import { hybridHistogram } from "../../bench/simulator/hybrid-histogram.ts";
import { callsOf, missesOf, replayLeastRecent } from "../../bench/simulator/least-recent.ts";
import { missShare } from "../../bench/simulator/miss-share.ts";
import { fixedWindow, keepNothing } from "../../bench/simulator/policies.ts";
import { replay } from "../../bench/simulator/replay.ts";
import { markdownTable, replaceBlock } from "../../bench/simulator/scaling-document.ts";
import { bursty, periodic, poisson, type Random, type Trace } from "../../bench/simulator/trace.ts";
import { seeded } from "../support/seeded-random.ts";

const randomOf = (seed: number): Random => {
  const next = seeded(seed);
  return () => next() / 2 ** 32;
};

/** Functions of 10 MB whose calls take a second. */
const traceOf = (spanS: number, ...arrivals: number[][]): Trace => ({
  spanS,
  functions: arrivals.map((times) => ({ arrivals: times, durationS: 1, memoryMb: 10 })),
});

test("the table of costs in the document is that of the figures the model starts from", async () => {
  const document = await readFile(join(import.meta.dirname, "../../docs/scaling.md"), "utf8");
  assert.ok(document.includes(markdownTable(costRows(readCosts()), "what")));
});

test("with nothing kept a call is warm while another runs, and no other is", () => {
  const { calls, cold, idleS } = replay(traceOf(100, [10, 10.5, 11.2, 20]), keepNothing);
  // The second and third overlap with the one before.
  assert.deepEqual({ calls, cold, idleS }, { calls: 4, cold: 2, idleS: 0 });
});

test("a fixed window keeps a function from the end of a call, and wastes until the next or its own end", () => {
  const trace = traceOf(10_000, [0, 600, 3_000], [9_900]);
  const { cold, idleS, idleMbS, coldShares } = replay(trace, fixedWindow(10));
  // First ever: cold. After 599 s: warm. After 2,399 s: cold. The other function: cold.
  assert.equal(cold, 3);
  // 599 until the second call, 600 before the third, 600 after it; 99 after the last of the other.
  assert.equal(idleS, 599 + 600 + 600 + 99);
  assert.equal(idleMbS, idleS * 10);
  assert.deepEqual(coldShares, [2 / 3, 1]);
});

test("the hybrid histogram keeps the whole range while it knows nothing", () => {
  assert.deepEqual(hybridHistogram.start().windows(), { preWarmS: 0, keepAliveS: 240 * 60 });
});

test("the hybrid histogram keeps the whole range when idle times are spread evenly", () => {
  const keeper = hybridHistogram.start();
  for (let minute = 0; minute < 240; minute += 1) keeper.observe(minute * 60);
  assert.deepEqual(keeper.windows(), { preWarmS: 0, keepAliveS: 240 * 60 });
});

test("the hybrid histogram loads before a call that comes at fixed intervals, and lets go after it", () => {
  const keeper = hybridHistogram.start();
  for (let call = 0; call < 20; call += 1) keeper.observe(1_830);
  const { preWarmS, keepAliveS } = keeper.windows();
  // All in bin 30: from 1,800 s less a tenth, to 1,860 s and a tenth more.
  assert.ok(Math.abs(preWarmS - 1_620) < 1e-9);
  assert.ok(Math.abs(preWarmS + keepAliveS - 2_046) < 1e-9);
  const arrivals = Array.from({ length: 50 }, (_, call) => call * 1_831);
  const replayed = replay(traceOf(50 * 1_831, arrivals), hybridHistogram);
  assert.equal(replayed.cold, 1);
  // It pays the whole time only once, before the first idle time is known.
  assert.ok(replayed.idleS < 0.2 * replay(traceOf(50 * 1_831, arrivals), fixedWindow(60)).idleS);
});

test("the hybrid histogram does not unload when the head of the idle times is in the first minute", () => {
  const keeper = hybridHistogram.start();
  for (let call = 0; call < 50; call += 1) keeper.observe(call % 2 === 0 ? 10 : 100);
  const { preWarmS, keepAliveS } = keeper.windows();
  assert.equal(preWarmS, 0);
  assert.ok(Math.abs(keepAliveS - 132) < 1e-9);
});

test("the hybrid histogram forecasts when half of the idle times are beyond it", () => {
  const keeper = hybridHistogram.start();
  const beyond = 20_000;
  for (let call = 0; call < 10; call += 1) keeper.observe(beyond);
  const { preWarmS, keepAliveS } = keeper.windows();
  assert.ok(Math.abs(preWarmS - 0.85 * beyond) < 1e-6);
  assert.ok(Math.abs(keepAliveS - 0.3 * beyond) < 1e-6);
});

test("the least recently called module goes first", () => {
  const trace = traceOf(100, [0, 3, 9], [1], [2, 8]);
  const calls = callsOf(trace);
  assert.deepEqual(
    calls.map(({ index }) => index),
    [0, 1, 2, 0, 2, 0],
  );
  // Two are kept: 2 drives out 0, which then drives out 1.
  assert.deepEqual(missesOf(calls, 2), [true, true, true, true, false, false]);
  const { cold, idleS, coldShares } = replayLeastRecent(trace, 2);
  assert.equal(cold, 4);
  // 0 from 0 to 2 and 3 to 9; 1 from 1 to 3; 2 from 2 to 8; at the end 0 from 9 and 2 from 8.
  assert.equal(idleS, 2 + 2 + 6 + 6 + 91 + 92);
  assert.deepEqual(coldShares, [2 / 3, 1, 1 / 2]);
});

test("arrivals keep their rate, ascend, end with the span, and are the same for the same seed", () => {
  for (const arrivalsOf of [poisson, bursty, periodic]) {
    const arrivals = arrivalsOf(0.5, 100_000, randomOf(1));
    assert.ok(Math.abs(arrivals.length / 50_000 - 1) < 0.1, `${arrivalsOf.name}: ${arrivals.length}`);
    assert.ok(arrivals.every((at, call) => at >= (arrivals[call - 1] ?? 0) && at < 100_000));
    assert.deepEqual(arrivalsOf(0.5, 100_000, randomOf(1)), arrivals);
    assert.notDeepEqual(arrivalsOf(0.5, 100_000, randomOf(2)), arrivals);
  }
});

test("inter-arrival times vary as they should: not at all, as their mean, or four times as much", () => {
  const variation = (arrivals: readonly number[]): number => {
    const gaps = arrivals.slice(1).map((at, call) => at - (arrivals[call] ?? 0));
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    return Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length) / mean;
  };
  const of = (arrivalsOf: typeof poisson): number => variation(arrivalsOf(1, 200_000, randomOf(3)));
  assert.ok(of(periodic) < 0.001);
  assert.ok(Math.abs(of(poisson) - 1) < 0.05);
  assert.ok(Math.abs(of(bursty) - 4.3) < 0.4);
});

test("the Azure shape goes through the points that the paper prints", () => {
  assert.ok(Math.abs(callsPerDayAt(0.45) - 24) < 1e-9);
  assert.ok(Math.abs(callsPerDayAt(0.81) - 1_440) < 1e-9);
  assert.ok(Math.abs(callsPerDayAt(1) / callsPerDayAt(0) - 1e8) < 1);
  // Figure 7's fit: half of the functions run less than a second on average; none longer than its bound.
  assert.ok(durationSAt(0) < 1 && durationSAt(0) > 0.6);
  assert.equal(durationSAt(9), 600);
  // Section 3.5: half of the applications use at most 170 MB.
  assert.ok(memoryMbAt(0.5) > 120 && memoryMbAt(0.5) < 170);
});

test("the most popular 19 % of the Azure shape make all but a few of the calls", () => {
  const rates = Array.from({ length: 10_000 }, (_, index) => callsPerDayAt((index + 0.5) / 10_000));
  const sum = (from: number): number => rates.slice(from).reduce((all, rate) => all + rate, 0);
  // Figure 5(b) says 99.6 %.
  assert.ok(sum(8_140) / sum(0) > 0.99);
});

test("a trace of the Azure shape is the same for the same seed, and keeps to its bound", () => {
  const trace = azureShape(200, 10_000, 1 / 60, randomOf(5));
  assert.deepEqual(azureShape(200, 10_000, 1 / 60, randomOf(5)), trace);
  assert.equal(trace.functions.length, 200);
  assert.ok(trace.functions.every(({ arrivals }) => arrivals.length < 400));
  assert.ok(trace.functions.some(({ arrivals }) => arrivals.length > 100));
});

test("the share of misses is that of a replay of calls drawn by the same rates", () => {
  const random = randomOf(7);
  const functions = 400;
  const rates = Array.from({ length: functions }, (_, index) => callsPerDayAt((index + 0.5) / functions));
  const all = rates.reduce((sum, rate) => sum + rate, 0);
  const drawn = (): number => {
    let left = random() * all;
    return rates.findIndex((rate) => {
      left -= rate;
      return left < 0;
    });
  };
  const calls = Array.from({ length: 30_000 }, (_, at) => ({ at, index: drawn() }));
  for (const kept of [10, 20, 40]) {
    const misses = missesOf(calls, kept);
    const replayed = misses.filter(Boolean).length / misses.length;
    assert.ok(Math.abs(missShare(functions, kept) - replayed) < 0.02, `${kept} kept: ${replayed}`);
  }
  assert.equal(missShare(100, 100), 0);
});

const costs = {
  shortUsPerCall: 20,
  mainUsPerCall: 50,
  threadsUsPerCall: 150,
  baseMb: 100,
  threadMb: 10,
  threadStartMs: 25,
  liveCallKb: 102.4,
  idleFunctionKb: 1.024,
  keptModuleKb: 102.4,
  loadMs: 5,
  loadMainMs: 4,
};
const host = { cores: 2, memoryMb: 1_000, liveCallsMax: 1_000, modulesCachedMax: 1_000 };
const load = { functions: 1_000, callsPerS: 1_000, guestMs: 0.8, waitMs: 99 };

test("a load takes its share of each bound", () => {
  const shares = sharesOf(load, costs, host);
  const expected = {
    // 1,000 calls of 50 µs.
    "main thread": 0.05,
    // 1,000 calls of 1 ms, on two cores.
    cores: 0.5,
    // 1,000 calls of 100 ms: 100 live.
    "live calls": 0.1,
    // 100 + 2 threads of 10 + 100 live of 0.1 + 1,000 functions of 0.001 and 1,000 modules of 0.1 MB.
    memory: 0.231,
  };
  for (const [bound, share] of Object.entries(expected)) {
    assert.ok(Math.abs(shares[bound as keyof typeof expected] - share) < 1e-9, bound);
  }
  assert.equal(firstBound(shares), "cores");
});

test("a short call that waits for nothing is the main thread's alone", () => {
  const short = sharesOf({ ...load, guestMs: 0.1, waitMs: 0 }, costs, host);
  // 1,000 calls of 20 and 100 µs.
  assert.ok(Math.abs(short["main thread"] - 0.12) < 1e-9);
  assert.ok(Math.abs(short.cores - 0.06) < 1e-9);
  const waiting = sharesOf({ ...load, guestMs: 0.1, waitMs: 1 }, costs, host);
  assert.ok(Math.abs(waiting["main thread"] - 0.05) < 1e-9);
});

test("hosts are as many as keep each under its bound", () => {
  // Cores: 0.5 of one host.
  assert.equal(hostsNeeded(load, costs, host, 0.5), 1);
  assert.equal(hostsNeeded({ ...load, callsPerS: 10_000 }, costs, host, 0.5), 10);
  // 100 MB that a host takes with nothing are more than a tenth of its memory.
  assert.equal(hostsNeeded(load, costs, host, 0.1), null);
});

test("a block of the document is replaced between its comments", () => {
  const text = "a\n<!-- x -->\nold\n<!-- /x -->\nb\n";
  assert.equal(replaceBlock(text, "x", "new"), "a\n<!-- x -->\n\nnew\n\n<!-- /x -->\nb\n");
  assert.throws(() => replaceBlock(text, "y", "new"), /no block "y"/);
  assert.equal(
    markdownTable([{ server: "one", n: 1 }], "what"),
    "| what | n   |\n| ---- | --- |\n| one  | 1   |",
  );
});

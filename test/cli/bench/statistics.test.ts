// Holds the statistics of bench to values from books and tables, and to what they promise of samples
// whose distribution is known.

import assert from "node:assert/strict";
import { test } from "node:test";
import { slopeOf, studentQuantile } from "../../../host/cli/bench/line-fit.ts";
import {
  enclosingRanks,
  medianOf,
  quantile,
  summarize,
  summarizeBursts,
} from "../../../host/cli/bench/quantiles.ts";
import { ratioOf } from "../../../host/cli/bench/ratio.ts";
import { shiftOf, shiftPValue } from "../../../host/cli/bench/signed-rank.ts";
import { seeded } from "../../support/seeded-random.ts";

const near = (found: number | null | undefined, wanted: number, within = 1e-9): void =>
  assert.ok(Math.abs((found ?? Number.NaN) - wanted) <= within, `${found} is not ${wanted}`);

/** Numbers in [0, 1). */
function uniform(seed: number): () => number {
  const next = seeded(seed);
  return () => next() / 2 ** 32;
}

test("a percentile is the sample of nearest rank", () => {
  const sorted = [15, 20, 35, 40, 50];
  assert.deepEqual(
    [0, 0.05, 0.3, 0.4, 0.5, 1].map((part) => quantile(sorted, part)),
    [15, 15, 20, 20, 35, 50],
  );
});

test("the ranks that enclose a quantile are those of the tables", () => {
  for (const [samples, part, low, high] of [
    [5, 0.5, null, null],
    [6, 0.5, 1, 6],
    [10, 0.5, 2, 9],
    [20, 0.5, 6, 15],
    [100, 0.5, 40, 61],
    [367, 0.99, 359, null],
  ] as const) {
    assert.deepEqual(enclosingRanks(samples, part), { low, high }, `${samples} samples`);
  }
});

test("an interval holds the true median as often as it says", () => {
  const random = uniform(7);
  let holding = 0;
  const runs = 400;
  for (let run = 0; run < runs; run += 1) {
    // Exponential, with the median ln 2.
    const { p50 } = summarize(Array.from({ length: 60 }, () => -Math.log(1 - random()))) ?? assert.fail();
    if ((p50.low ?? 0) <= Math.LN2 && (p50.high ?? 0) >= Math.LN2) holding += 1;
  }
  assert.ok(holding / runs > 0.93, `${holding} of ${runs}`);
});

test("samples that follow one another alike widen the interval, and halves that differ show", () => {
  const random = uniform(3);
  const still = Array.from({ length: 400 }, () => 1 + random());
  const drifting = still.map((value, index) => value + index / 200);
  const [one, other] = [summarize(still), summarize(drifting)];
  assert.ok((one?.overdispersion ?? 0) < 3 && (other?.overdispersion ?? 0) > 10);
  const width = (summary: typeof one): number => (summary?.p50.high ?? 99) - (summary?.p50.low ?? 0);
  assert.ok(width(other) > 3 * width(one));
  assert.ok((other?.halves?.[1].value ?? 0) > (other?.halves?.[0].value ?? 0) + 0.5);
});

test("an interval of bursts is that of what differs between them, not of what rises within them", () => {
  const rising = (from: number): number[] => Array.from({ length: 101 }, (_, index) => from + index);
  const { samples, units, p50, p90 } =
    summarizeBursts([3, 1, 0, 2, 5, 4].map(rising)) ?? assert.fail("no summary");
  assert.deepEqual([samples, units], [606, 6]);
  assert.deepEqual([p50.low, p50.high, p90.low, p90.high], [50, 55, 90, 95]);
  const few = summarizeBursts([rising(0), [], rising(9)]);
  assert.deepEqual([few?.units, few?.p50.low, few?.p50.high], [2, null, null]);
  assert.equal(summarizeBursts([[]]), null);
});

test("a summary of nothing is nothing, of one sample has no interval", () => {
  assert.equal(summarize([]), null);
  assert.deepEqual(summarize([4])?.p50, { value: 4, low: null, high: null });
  assert.equal(summarize([4])?.max, 4);
  assert.deepEqual(medianOf([3, 1, 2]), { value: 2, low: null, high: null });
});

// Hamilton's depression scale of nine patients before and after, Hollander & Wolfe, table 3.1.
const before = [1.83, 0.5, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.3];
const after = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29];
const differences = before.map((value, index) => value - (after[index] ?? 0));

test("the signed-rank test and its estimate are those of the textbook", () => {
  near(shiftPValue(differences, 0), 10 / 512);
  const { value, low } = shiftOf(differences, 0.05);
  near(value, 0.46);
  near(low, 0.175);
  const both = shiftOf(differences, 0.025);
  near(both.low, 0.01);
  near(both.high, 0.786);
});

test("the bound of the estimate is where the test decides", () => {
  const { low } = shiftOf(differences, 0.05);
  assert.ok(low !== null && shiftPValue(differences, low - 1e-9) <= 0.05);
  assert.ok(shiftPValue(differences, low + 1e-9) > 0.05);
});

test("too few differences prove nothing, and equal ones share their ranks", () => {
  assert.equal(shiftOf([1, 2], 0.01).low, null);
  near(shiftPValue([1, 1, 1, 1], 0), 1 / 16);
  near(shiftPValue([1, -1], 0), 3 / 4);
  assert.equal(shiftPValue([0, 0], 0), 1);
});

test("a slope is that of least squares, with Student's error", () => {
  const points = [1, 2, 3, 4, 5].map((x, index) => ({
    x,
    y: 10 + 2 * x + ([0.1, -0.1, 0, 0.1, -0.1][index] ?? 0),
  }));
  const slope = slopeOf(points) ?? assert.fail();
  near(slope.value, 1.98, 1e-9);
  // Residual standard error 0.1125 by hand, spread 10, 3 degrees of freedom.
  assert.ok(slope.low !== null && slope.low < 1.98 && slope.low > 1.8);
  assert.equal(slopeOf([{ x: 1, y: 1 }]), null);
  assert.equal(slopeOf(points.slice(0, 4))?.low, null);
  for (const [degrees, wanted] of [
    [5, 2.571],
    [10, 2.228],
    [30, 2.042],
  ] as const) {
    near(studentQuantile(degrees), wanted, 0.01);
  }
});

test("a ratio's bounds hold whenever those of its parts do", () => {
  const ratio = ratioOf({ value: 4, low: 3, high: 5 }, { value: 2, low: 1, high: 4 });
  assert.deepEqual(ratio, { value: 2, low: 0.75, high: 5 });
  assert.equal(ratioOf({ value: 4, low: null, high: 5 }, { value: 2, low: 1, high: 4 })?.low, null);
  assert.equal(ratioOf(undefined, { value: 2, low: 1, high: 4 }), null);
});

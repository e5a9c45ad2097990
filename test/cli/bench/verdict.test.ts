// Holds the verdict of compare to samples whose truth is known.

import assert from "node:assert/strict";
import { test } from "node:test";
import { alpha, compareRounds } from "../../../host/cli/bench/verdict.ts";
import { seeded } from "../../support/seeded-random.ts";

/** Ratios of rounds about `truth`, each off by up to `spread` of it. */
function ratios(truth: number, spread: number, seed: number, rounds = 24): number[] {
  const next = seeded(seed);
  return Array.from({ length: rounds }, () => truth * (1 + spread * (next() / 2 ** 31 - 1)));
}

for (const [what, truth, limit, outcome] of [
  ["half as slow again", 1.5, 0.1, "slower"],
  ["slower within the limit", 1.05, 0.1, "not slower"],
  ["the same", 1, 0.1, "not slower"],
  ["faster", 0.7, 0.1, "not slower"],
  ["at the limit", 1.1, 0.1, "undecided"],
  ["slower, without a limit", 1.2, null, "slower"],
  ["the same, without a limit", 1, null, "no difference"],
  ["faster, without a limit", 0.7, null, "faster"],
  ["slower, with a limit of nothing", 1.2, 0, "slower"],
] as const) {
  test(`a B that is ${what} is ${outcome}`, () => {
    const { verdict, ratio } = compareRounds(ratios(truth, 0.05, 11), limit);
    assert.equal(verdict.outcome, outcome, verdict.text);
    assert.ok(ratio.low !== null && ratio.high !== null && ratio.low < truth && truth < ratio.high);
  });
}

test("noise alone is called slower no more often than alpha says", () => {
  const runs = 500;
  let slower = 0;
  for (let seed = 1; seed <= runs; seed += 1) {
    if (compareRounds(ratios(1, 0.3, seed, 12), 0).verdict.outcome === "slower") slower += 1;
  }
  assert.ok(slower <= 2.5 * alpha * runs, `${slower} of ${runs}`);
});

test("a slower B is not found where the noise hides it, and the verdict says what would tell", () => {
  const { verdict } = compareRounds(ratios(1.12, 0.6, 5), 0.1);
  assert.equal(verdict.outcome, "undecided");
  assert.match(verdict.text, /^Undecided .* more than 10 %: .* more --rounds, or a quieter machine, tell$/);
});

test("few rounds prove nothing", () => {
  const { verdict, ratio } = compareRounds([3, 3.1, 2.9], 0.1);
  assert.equal(verdict.outcome, "undecided");
  assert.equal(ratio.low, null);
  assert.match(verdict.text, /too few rounds to tell/);
});

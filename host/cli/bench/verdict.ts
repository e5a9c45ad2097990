// The verdict of `compare`: whether version B takes longer than A beyond what chance explains. Each round
// gives one ratio, of B's median to A's; Wilcoxon's signed-rank test on their logarithms decides. Pure.

import type { Estimate } from "./quantiles.ts";
import type { Verdict } from "./recorder.ts";
import { shiftOf, shiftPValue } from "./signed-rank.ts";

/** How often, at most, a B that is exactly at the limit is called slower than it. */
export const alpha = 0.01;

export type Comparison = {
  /** How many times as long B takes as A, with bounds that each hold with 1 - `alpha`. */
  readonly ratio: Estimate;
  /** How probable ratios as high as these are for a B at the limit. */
  readonly pValue: number;
  readonly verdict: Verdict;
};

/** `ratios` are those of the rounds; `maxRegression` is what B may be slower, 0.1 for 10 %, null for no limit. */
export function compareRounds(ratios: readonly number[], maxRegression: number | null): Comparison {
  const logs = ratios.map(Math.log);
  const limit = 1 + (maxRegression ?? 0);
  const shift = shiftOf(logs, alpha);
  const ratio: Estimate = {
    value: Math.exp(shift.value),
    low: shift.low === null ? null : Math.exp(shift.low),
    high: shift.high === null ? null : Math.exp(shift.high),
  };
  const pValue = shiftPValue(logs, Math.log(limit));
  const outcome = outcomeOf(ratio, pValue, maxRegression);
  return { ratio, pValue, verdict: { outcome, text: textOf(outcome, ratio, pValue, maxRegression) } };
}

function outcomeOf(
  { low, high }: Estimate,
  pValue: number,
  maxRegression: number | null,
): Verdict["outcome"] {
  if (pValue <= alpha) return "slower";
  if (maxRegression === null) return high !== null && high < 1 ? "faster" : "no difference";
  return low !== null && high !== null && high <= 1 + maxRegression ? "not slower" : "undecided";
}

function textOf(
  outcome: Verdict["outcome"],
  { value, low, high }: Estimate,
  pValue: number,
  maxRegression: number | null,
): string {
  const between =
    low === null || high === null ? "too few rounds to tell" : `${low.toFixed(3)} to ${high.toFixed(3)}`;
  const found = `B takes ${value.toFixed(3)} times as long as A (${100 - 200 * alpha} % interval ${between})`;
  const limit = maxRegression === null ? "" : percent(maxRegression);
  switch (outcome) {
    case "slower":
      return maxRegression === null
        ? `B is slower: ${found}, p = ${pText(pValue)}`
        : `B is slower by more than ${limit}: ${found}, p = ${pText(pValue)}`;
    case "faster":
      return `B is faster: ${found}`;
    case "no difference":
      return `No difference is found: ${found}`;
    case "not slower":
      return `B is not slower by more than ${limit}: ${found}`;
    case "undecided":
      return `Undecided whether B is slower by more than ${limit}: ${found}; more --rounds, or a quieter machine, tell`;
  }
}

function percent(part: number): string {
  return `${Number((part * 100).toFixed(3))} %`;
}

function pText(pValue: number): string {
  return pValue < 1e-4 ? "less than 0.0001" : pValue.toFixed(4);
}

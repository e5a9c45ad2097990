// A figure with its spread: the median of the rounds, the least and the most. And ratios of two peers round
// by round, so that what slows a whole round cancels out.

import { median } from "../statistics.ts";

export type Spread = { readonly median: number; readonly least: number; readonly most: number };

export function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), least: Math.min(...values), most: Math.max(...values) };
}

/** The spread of `over[round] / under[round]`. */
export function ratioOf(over: readonly number[], under: readonly number[]): Spread {
  return spreadOf(over.map((value, round) => value / (under[round] ?? Number.NaN)));
}

/** Two or three digits that say something; thousands with a comma. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (value >= 1_000) return Number(value.toPrecision(3)).toLocaleString("en-US");
  if (value >= 100) return value.toFixed(0);
  return value
    .toPrecision(value < 1 ? 2 : 3)
    .replace(/(\.\d*?)0+$/, "$1")
    .replace(/\.$/, "");
}

/** `12.3 (11–14)`, or a dash where nothing was measured. */
export function withSpread(values: readonly number[]): string {
  return values.length === 0 ? "–" : spreadText(spreadOf(values));
}

export const spreadText = ({ median: middle, least, most }: Spread): string =>
  `${short(middle)} (${short(least)}–${short(most)})`;

/** How far the rounds of one figure lie apart, as a share of their median. */
export function unrest(values: readonly number[]): number {
  const { median: middle, least, most } = spreadOf(values);
  return (most - least) / middle;
}

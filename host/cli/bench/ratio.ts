// The quotient of two estimates, with the bounds that hold whenever theirs do: wide, but never too narrow.

import type { Estimate } from "./quantiles.ts";

/** Null where one of the two is missing. */
export function ratioOf(above: Estimate | undefined, below: Estimate | undefined): Estimate | null {
  if (above === undefined || below === undefined) return null;
  const part = (one: number | null, other: number | null): number | null =>
    one === null || other === null ? null : one / other;
  return {
    value: above.value / below.value,
    low: part(above.low, below.high),
    high: part(above.high, below.low),
  };
}

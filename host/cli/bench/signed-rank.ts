// Wilcoxon's signed-rank test and the Hodges-Lehmann estimate that belongs to it: of differences of
// pairs, whether they lie above a value, and how large they are (Hollander & Wolfe, Nonparametric
// Statistical Methods, section 3.1). `compare` gives it one difference a round. Pure.

export type Shift = {
  /** Hodges-Lehmann: the median of the means of all pairs of differences. */
  readonly value: number;
  /** One-sided bounds, each of which the true shift passes with the probability `alpha` at most. */
  readonly low: number | null;
  readonly high: number | null;
};

/** The fewest differences of which a test at `alpha` can find anything. */
export function differencesMin(alpha: number): number {
  return Math.ceil(Math.log2(1 / alpha));
}

/** How probable a rank sum as high as this one is when the differences lie symmetrically about `above`. */
export function shiftPValue(differences: readonly number[], above: number): number {
  // A difference of nothing says nothing of the direction.
  const shifted = differences
    .map((difference) => difference - above)
    .filter((difference) => difference !== 0);
  if (shifted.length === 0) return 1;
  const ranks = doubledRanks(shifted.map(Math.abs));
  const sum = shifted.reduce(
    (total, difference, index) => total + (difference > 0 ? (ranks[index] ?? 0) : 0),
    0,
  );
  return distributionOf(ranks)
    .slice(sum)
    .reduce((total, probability) => total + probability, 0);
}

/** The size of the shift with the bounds at which `shiftPValue` is `alpha`. */
export function shiftOf(differences: readonly number[], alpha: number): Shift {
  const means: number[] = [];
  for (let one = 0; one < differences.length; one += 1) {
    for (let other = one; other < differences.length; other += 1) {
      means.push(((differences[one] ?? 0) + (differences[other] ?? 0)) / 2);
    }
  }
  means.sort((one, other) => one - other);
  const at = (index: number): number => means[index] ?? Number.NaN;
  const half = means.length >> 1;
  const value = means.length % 2 === 1 ? at(half) : (at(half - 1) + at(half)) / 2;
  const outside = sumsBelow(differences.length, alpha);
  return {
    value,
    low: outside === 0 ? null : at(outside - 1),
    high: outside === 0 ? null : at(means.length - outside),
  };
}

/** How many of the lowest rank sums have the probability `alpha` together at most. */
function sumsBelow(count: number, alpha: number): number {
  const probabilities = distributionOf(Array.from({ length: count }, (_, index) => 2 * (index + 1)));
  let total = 0;
  let sums = 0;
  // Ranks are doubled: every other sum has the probability 0.
  for (let sum = 0; sum < probabilities.length; sum += 2) {
    total += probabilities[sum] ?? 0;
    if (total > alpha) return sums;
    sums += 1;
  }
  return sums;
}

/** Twice the rank of each value, from 1; equal values share the mean of their ranks. */
function doubledRanks(values: readonly number[]): number[] {
  const sorted = [...values].sort((one, other) => one - other);
  return values.map((value) => {
    const first = sorted.indexOf(value) + 1;
    return first + sorted.lastIndexOf(value) + 1;
  });
}

/** The probability of each sum of doubled ranks, when every sign is as likely as the other. */
function distributionOf(ranks: readonly number[]): number[] {
  let probabilities = [1];
  for (const rank of ranks) {
    const next = new Array<number>(probabilities.length + rank).fill(0);
    probabilities.forEach((probability, sum) => {
      next[sum] = (next[sum] ?? 0) + probability / 2;
      next[sum + rank] = (next[sum + rank] ?? 0) + probability / 2;
    });
    probabilities = next;
  }
  return probabilities;
}

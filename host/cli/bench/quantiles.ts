// Percentiles of samples with their sampling error. The interval of a percentile is made of order
// statistics: which samples enclose it follows from the binomial distribution alone, whatever the
// distribution of the samples (David & Nagaraja, Order Statistics, section 7.1). Pure.

/** `null` on a side where the samples are too few to tell. */
export type Interval = { readonly low: number | null; readonly high: number | null };
export type Estimate = Interval & { readonly value: number };

export type Summary = {
  readonly samples: number;
  readonly min: number;
  readonly mean: number;
  readonly p50: Estimate;
  readonly p90: Estimate;
  readonly p99: Estimate;
  readonly max: number;
  /** What the intervals rest on: the samples, or the bursts in which they were taken. */
  readonly units: number;
  /** By how much the samples vary more over time than independent ones would; 1 for those. */
  readonly overdispersion: number;
  /** Of the earlier and the later half: medians whose intervals do not meet say that the machine changed. */
  readonly halves: readonly [Estimate, Estimate] | null;
};

/** The part of all samples that an interval is to enclose the true value for. */
export const confidence = 0.95;

const blocksMin = 5;
const blocksMax = 10;
const blockSamplesMin = 10;

/** What the samples say, in the order in which they were taken; null for none. */
export function summarize(samples: readonly number[]): Summary | null {
  if (samples.length === 0) return null;
  const sorted = Float64Array.from(samples).sort();
  const overdispersion = overdispersionOf(samples, quantile(sorted, 0.5));
  const independent = samples.length / overdispersion;
  const estimate = (part: number): Estimate => estimateOf(sorted, part, independent);
  return {
    samples: samples.length,
    min: sorted[0] ?? Number.NaN,
    mean: sorted.reduce((sum, value) => sum + value, 0) / sorted.length,
    p50: estimate(0.5),
    p90: estimate(0.9),
    p99: estimate(0.99),
    max: sorted.at(-1) ?? Number.NaN,
    units: samples.length,
    overdispersion,
    halves: halvesOf(samples),
  };
}

/**
 * The same of samples that were taken together, burst by burst: within one they wait for one another, and
 * say nothing of the next. So a percentile's interval is that of the bursts' own percentiles about their
 * median. Null for none.
 */
export function summarizeBursts(bursts: readonly (readonly number[])[]): Summary | null {
  const taken = bursts.filter(({ length }) => length > 0);
  const whole = summarize(taken.flat());
  if (whole === null) return null;
  const ofBursts = (part: number): number[] =>
    taken.map((burst) => quantile(Float64Array.from(burst).sort(), part));
  const withBounds = ({ value }: Estimate, part: number): Estimate => {
    const { low, high } = medianOf(ofBursts(part));
    return { value, low: low && Math.min(low, value), high: high && Math.max(high, value) };
  };
  return {
    ...whole,
    p50: withBounds(whole.p50, 0.5),
    p90: withBounds(whole.p90, 0.9),
    p99: withBounds(whole.p99, 0.99),
    units: taken.length,
    overdispersion: 1,
    halves: halvesOf(ofBursts(0.5)),
  };
}

/** The median with its interval; the samples are taken to be independent. NaN for none. */
export function medianOf(samples: readonly number[]): Estimate {
  return estimateOf(Float64Array.from(samples).sort(), 0.5, samples.length);
}

/** The sample of nearest rank. */
export function quantile(sorted: ArrayLike<number>, part: number): number {
  const rank = Math.min(sorted.length, Math.max(1, Math.ceil(part * sorted.length)));
  return sorted[rank - 1] ?? Number.NaN;
}

/**
 * The ranks, from 1, of the ordered samples that enclose a quantile with at least the confidence asked
 * for: `low` is null where not even the first is surely below it, `high` where not even the last is above.
 */
export function enclosingRanks(
  samples: number,
  part: number,
  level = confidence,
): { readonly low: number | null; readonly high: number | null } {
  const tail = (1 - level) / 2;
  let low = 0;
  let high: number | null = null;
  let below = 0;
  for (let successes = 0; successes < samples; successes += 1) {
    below += binomial(samples, part, successes);
    if (below <= tail) low = successes + 1;
    if (below >= 1 - tail) {
      high = successes + 1;
      break;
    }
  }
  return { low: low === 0 ? null : low, high };
}

/** As many samples as are worth `independent` ones: the interval is that of so many, on all of them. */
function estimateOf(sorted: Float64Array, part: number, independent: number): Estimate {
  const count = Math.max(1, Math.floor(independent));
  const { low, high } = enclosingRanks(Math.min(count, ranksMax), part);
  const at = (rank: number | null, round: (rank: number) => number): number | null => {
    if (rank === null) return null;
    const scaled = round((rank / Math.min(count, ranksMax)) * sorted.length);
    return sorted[Math.min(sorted.length, Math.max(1, scaled)) - 1] ?? null;
  };
  return { value: quantile(sorted, part), low: at(low, Math.floor), high: at(high, Math.ceil) };
}

/** Beyond so many samples the interval is not made narrower: what is left is no sampling error. */
const ranksMax = 20_000;

/**
 * Samples that follow one another are alike on a busy machine, and worth fewer than their number. Blocks
 * of neighbours are compared: how much the number above the median varies from block to block, against
 * the binomial distribution (the dispersion of McCullagh & Nelder, section 4.5). Never below 1.
 */
function overdispersionOf(samples: readonly number[], median: number): number {
  const blocks = Math.min(blocksMax, Math.floor(samples.length / blockSamplesMin));
  if (blocks < blocksMin) return 1;
  let chiSquare = 0;
  const size = samples.length / blocks;
  const above = samples.map((value) => (value > median ? 1 : 0));
  const part = above.reduce<number>((sum, value) => sum + value, 0) / samples.length;
  if (part === 0 || part === 1) return 1;
  for (let block = 0; block < blocks; block += 1) {
    const inBlock = above.slice(Math.round(block * size), Math.round((block + 1) * size));
    const found = inBlock.reduce<number>((sum, value) => sum + value, 0);
    chiSquare += (found - inBlock.length * part) ** 2 / (inBlock.length * part * (1 - part));
  }
  return Math.max(1, chiSquare / (blocks - 1));
}

/** Each with its own overdispersion: what differs between them is what they are compared for. */
function halvesOf(samples: readonly number[]): readonly [Estimate, Estimate] | null {
  const middle = samples.length >> 1;
  if (middle < blockSamplesMin) return null;
  const half = (from: number, to: number): Estimate => {
    const part = samples.slice(from, to);
    const sorted = Float64Array.from(part).sort();
    return estimateOf(sorted, 0.5, part.length / overdispersionOf(part, quantile(sorted, 0.5)));
  };
  return [half(0, middle), half(middle, samples.length)];
}

/** The probability of so many successes. */
function binomial(trials: number, part: number, successes: number): number {
  const logChoose = logFactorial(trials) - logFactorial(successes) - logFactorial(trials - successes);
  return Math.exp(logChoose + successes * Math.log(part) + (trials - successes) * Math.log(1 - part));
}

const logFactorials = [0];

function logFactorial(number: number): number {
  for (let next = logFactorials.length; next <= number; next += 1) {
    logFactorials.push((logFactorials[next - 1] ?? 0) + Math.log(next));
  }
  return logFactorials[number] ?? 0;
}

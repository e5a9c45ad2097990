// Arrivals of calls, made from a seed: the same seed gives the same trace. Times are in seconds from the
// start. Pure functions of their arguments.

/** A source of numbers in [0, 1). */
export type Random = () => number;

/** One function's calls. */
export type FunctionTrace = {
  /** When its calls come, ascending. */
  readonly arrivals: readonly number[];
  /** How long each of them runs. */
  readonly durationS: number;
  /** What it holds while it is loaded. */
  readonly memoryMb: number;
};

export type Trace = { readonly spanS: number; readonly functions: readonly FunctionTrace[] };

/** A time from an exponential distribution. */
export function exponential(mean: number, random: Random): number {
  return -mean * Math.log(1 - random());
}

/** A number from a normal distribution with mean 0 and deviation 1 (Box and Muller). */
export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Independent calls at a steady rate. */
export function poisson(perSecond: number, spanS: number, random: Random): number[] {
  return until(spanS, exponential(1 / perSecond, random), () => exponential(1 / perSecond, random));
}

/** Calls at fixed intervals from a random first, as timers make them. */
export function periodic(perSecond: number, spanS: number, random: Random): number[] {
  return until(spanS, random() / perSecond, () => 1 / perSecond);
}

/** A burst's calls come this many times faster than the mean rate says. */
const burstSpeed = 50;
const callsPerBurst = 10;

/**
 * Bursts of ten calls on average with long pauses between them, at the same mean rate: after each call the
 * burst goes on with a probability of 0.9. Its inter-arrival times have a coefficient of variation of
 * about 4.
 */
export function bursty(perSecond: number, spanS: number, random: Random): number[] {
  const mean = 1 / perSecond;
  const within = mean / burstSpeed;
  const between = callsPerBurst * mean - (callsPerBurst - 1) * within;
  const gap = (): number => exponential(random() < 1 / callsPerBurst ? between : within, random);
  return until(spanS, exponential(mean, random), gap);
}

function until(spanS: number, firstS: number, gap: () => number): number[] {
  const arrivals: number[] = [];
  for (let at = firstS; at < spanS; at += gap()) arrivals.push(at);
  return arrivals;
}

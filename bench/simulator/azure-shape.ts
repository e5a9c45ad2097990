// Traces with the published shape of Azure Functions in July 2019: M. Shahrad et al., "Serverless in the
// Wild: Characterizing and Optimizing the Serverless Workload at a Large Cloud Provider", USENIX ATC 2020.
// What that paper prints in numbers is taken as it is; what lies between those is interpolated, and said.

import { bursty, type FunctionTrace, normal, periodic, poisson, type Random, type Trace } from "./trace.ts";

/**
 * Calls of an application per day, share of applications with at most so many. Figure 5(a): 45 % once an
 * hour or less, 81 % once a minute or less, over eight orders of magnitude. Between the points, and at both
 * ends, the logarithm is interpolated; the ends are once in the two weeks observed, and 10^8 times that.
 */
export const callsPerDay: readonly (readonly [share: number, calls: number])[] = [
  [0, 1 / 14],
  [0.45, 24],
  [0.81, 1_440],
  [1, 1e8 / 14],
];

/**
 * Figure 3(b): 13 % of applications have timers alone, which are periodic. Section 3.6: 40 % have
 * inter-arrival times with a coefficient of variation above 1. The rest is taken as Poisson.
 */
export const timerShare = 0.13;
export const variableShare = 0.4;

/** Figure 7: the average durations follow a log-normal distribution, in seconds. */
const duration = { logMean: -0.38, sigma: 2.36 };
/** The longest that a function of that platform could run by default. */
const durationSMax = 600;

/** Figure 8: an application's memory follows a Burr distribution, in MB. */
const memory = { c: 11.652, k: 0.221, lambda: 107.083 };
/** Section 3.5: 90 % never use more than 400 MB; the fit's tail would go on for ever. */
const memoryMbMax = 1_536;

/** Calls per day at this share of applications. */
export function callsPerDayAt(share: number): number {
  const after = callsPerDay.findIndex(([to]) => share <= to);
  const [to, most] = callsPerDay[Math.max(1, after)] ?? [1, 1];
  const [from, least] = callsPerDay[Math.max(1, after) - 1] ?? [0, 1];
  return least * (most / least) ** ((share - from) / (to - from));
}

/** Seconds that an average call runs, at this many deviations from the fit's mean. */
export function durationSAt(deviations: number): number {
  return Math.min(durationSMax, Math.exp(duration.logMean + duration.sigma * deviations));
}

/** MB that an application holds, at this share of applications. */
export function memoryMbAt(share: number): number {
  const { c, k, lambda } = memory;
  return Math.min(memoryMbMax, lambda * ((1 - share) ** (-1 / k) - 1) ** (1 / c));
}

/**
 * So many functions over so many seconds. One that is called more often than `perSecondMax` is called that
 * often: above it nothing changes for any policy, and a trace has an end.
 */
export function azureShape(count: number, spanS: number, perSecondMax: number, random: Random): Trace {
  const functions = Array.from({ length: count }, (): FunctionTrace => {
    const perSecond = Math.min(perSecondMax, callsPerDayAt(random()) / 86_400);
    const kind = random();
    const arrivalsOf = kind < timerShare ? periodic : kind < timerShare + variableShare ? bursty : poisson;
    return {
      durationS: durationSAt(normal(random)),
      memoryMb: memoryMbAt(random()),
      arrivals: arrivalsOf(perSecond, spanS, random),
    };
  });
  return { spanS, functions };
}

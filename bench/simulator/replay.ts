// Replays a trace against a keep-warm policy: how many calls find their function not loaded, and for how
// long functions are loaded that nobody calls. Loading takes no time here. Pure.

import type { Policy } from "./policies.ts";
import type { FunctionTrace, Trace } from "./trace.ts";

export type Replayed = {
  readonly calls: number;
  /** Calls that found their function not loaded, the first ever among them. */
  readonly cold: number;
  /** Seconds for which functions were loaded and idle. */
  readonly idleS: number;
  /** The same, times the memory that each holds. */
  readonly idleMbS: number;
  /** Of each function that was called: the share of its calls that were cold. */
  readonly coldShares: readonly number[];
};

export function replay({ functions, spanS }: Trace, policy: Policy): Replayed {
  const sum = { calls: 0, cold: 0, idleS: 0, idleMbS: 0, coldShares: [] as number[] };
  for (const trace of functions) {
    const { cold, idleS } = replayFunction(trace, spanS, policy);
    sum.calls += trace.arrivals.length;
    sum.cold += cold;
    sum.idleS += idleS;
    sum.idleMbS += idleS * trace.memoryMb;
    if (trace.arrivals.length > 0) sum.coldShares.push(cold / trace.arrivals.length);
  }
  return sum;
}

/** Calls that overlap share what is loaded; the function is idle when none runs. */
function replayFunction(
  { arrivals, durationS }: FunctionTrace,
  spanS: number,
  policy: Policy,
): { cold: number; idleS: number } {
  const keeper = policy.start();
  let cold = 0;
  let idleS = 0;
  let busyUntil: number | null = null;
  /** From the end of the last call to `at`, or to the trace's end: how long it was loaded for nothing. */
  const idleUntil = (at: number, from: number): number => {
    const { preWarmS, keepAliveS } = keeper.windows();
    return Math.max(0, Math.min(at - from - preWarmS, keepAliveS));
  };
  for (const at of arrivals) {
    if (busyUntil === null) cold += 1;
    else if (at > busyUntil) {
      const { preWarmS, keepAliveS } = keeper.windows();
      const idle = at - busyUntil;
      if (idle < preWarmS || idle > preWarmS + keepAliveS) cold += 1;
      idleS += idleUntil(at, busyUntil);
      keeper.observe(idle);
    }
    busyUntil = Math.max(busyUntil ?? 0, at + durationS);
  }
  if (busyUntil !== null && busyUntil < spanS) idleS += idleUntil(spanS, busyUntil);
  return { cold, idleS };
}

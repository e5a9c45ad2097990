// Which thread runs the next call: a pure function of what each thread holds. Null means that the call
// waits, for room or for a thread that is about to be there.

export type ThreadLoad = {
  /** Calls that run or have not begun; those that wait for host calls do not count. */
  readonly running: number;
  /** How long those calls are expected to take, ms, by what their versions took lately. */
  readonly backlogMs: number;
  /** Whether it has the module of the call. */
  readonly hasModule: boolean;
  /** Whether it can be given no call: it is full, silent, starting or being ended. */
  readonly unavailable: boolean;
};

export type BalancerBounds = {
  /** Whether another thread is starting, or may be started. */
  readonly mayGrow: boolean;
  /** How long the call itself is expected to take, ms. */
  readonly expectedMs: number;
};

/**
 * Waking an idle thread costs the caller's thread and the machine more than this; a call that would
 * wait less behind others is posted behind them (bench/throughput.ts: twice the calls/s on two cores).
 */
export const packedBacklogMs = 0.3;

/** A call that takes longer than this waits for a thread of its own, if there may be one: calls do not move. */
export const longMs = 2;

/** Index of the thread to give the call to, or null. */
export function chooseThread(threads: readonly ThreadLoad[], bounds: BalancerBounds): number | null {
  const isLong = bounds.expectedMs >= longMs;
  let best: ThreadLoad | null = null;
  let bestIndex: number | null = null;
  for (const [index, thread] of threads.entries()) {
    if (thread.unavailable) continue;
    if (bounds.mayGrow && isLong && preference(thread, isLong) === 2) continue;
    if (best !== null && !isBetter(thread, best, isLong)) continue;
    best = thread;
    bestIndex = index;
  }
  return bestIndex;
}

/** Lower is better: for a short call one with short calls, then an idle one, then a busy one. */
function preference({ running, backlogMs }: ThreadLoad, isLong: boolean): 0 | 1 | 2 {
  if (running === 0) return isLong ? 0 : 1;
  if (backlogMs >= packedBacklogMs) return 2;
  return isLong ? 1 : 0;
}

function isBetter(one: ThreadLoad, other: ThreadLoad, isLong: boolean): boolean {
  const difference = preference(one, isLong) - preference(other, isLong);
  if (difference !== 0) return difference < 0;
  // Giving a thread a module costs tens of microseconds.
  if (one.hasModule !== other.hasModule) return one.hasModule;
  return one.backlogMs < other.backlogMs;
}

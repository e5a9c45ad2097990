// Which thread runs the next call: a pure function of what each thread holds. Null means "all are
// busy", which is how Piscina grows.

export type ThreadLoad = {
  readonly threadId: number;
  /** Calls posted and not answered. */
  readonly posted: number;
  /** How long those calls are expected to take, ms, by what their versions took lately. */
  readonly backlogMs: number;
  /** Whether it has the module of the call. */
  readonly hasModule: boolean;
  /** Whether its present call has run longer than `limits.threadStallMs`, or it is being ended. */
  readonly stalled: boolean;
};

export type BalancerBounds = {
  /** Whether another thread may still be started. */
  readonly mayGrow: boolean;
  readonly callsPerThreadMax: number;
};

/**
 * Waking an idle thread costs the caller's thread and the machine more than this; a call that would
 * wait less behind others is posted behind them (bench/throughput.ts: twice the calls/s on two cores).
 */
export const packedBacklogMs = 0.3;

/** The thread to post to, or null when the call has to wait for one. */
export function chooseThread(threads: Iterable<ThreadLoad>, bounds: BalancerBounds): number | null {
  let best: ThreadLoad | null = null;
  for (const thread of threads) {
    if (thread.stalled || thread.posted >= bounds.callsPerThreadMax) continue;
    // Long calls queue behind one another only once no further thread can help.
    if (bounds.mayGrow && preference(thread) === 2) continue;
    if (best === null || isBetter(thread, best)) best = thread;
  }
  return best?.threadId ?? null;
}

/** 0: runs calls so short that waiting behind them is nothing · 1: idle · 2: busy. */
function preference(thread: ThreadLoad): 0 | 1 | 2 {
  if (thread.posted === 0) return 1;
  return thread.backlogMs < packedBacklogMs ? 0 : 2;
}

function isBetter(one: ThreadLoad, other: ThreadLoad): boolean {
  const difference = preference(one) - preference(other);
  if (difference !== 0) return difference < 0;
  // Giving a thread a module costs tens of microseconds.
  if (one.hasModule !== other.hasModule) return one.hasModule;
  return one.backlogMs < other.backlogMs;
}

// Which thread runs the next call: a pure function of what each thread holds. A thread that already
// has the module, then the least loaded; null means "all are busy", which is how Piscina grows.

export type ThreadLoad = {
  readonly threadId: number;
  /** Calls posted and not answered. */
  readonly posted: number;
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

/** The thread to post to, or null when the call has to wait for one. */
export function chooseThread(threads: Iterable<ThreadLoad>, bounds: BalancerBounds): number | null {
  let best: ThreadLoad | null = null;
  for (const thread of threads) {
    if (thread.stalled) continue;
    // Posting behind a running call hides the round trip, but only once no further thread can help.
    const postedMax = bounds.mayGrow ? 1 : bounds.callsPerThreadMax;
    if (thread.posted >= postedMax) continue;
    if (best === null || isBetter(thread, best)) best = thread;
  }
  return best?.threadId ?? null;
}

function isBetter(one: ThreadLoad, other: ThreadLoad): boolean {
  // Giving a thread a module costs tens of microseconds; waiting behind a call costs a whole call.
  if ((one.posted === 0) !== (other.posted === 0)) return one.posted === 0;
  if (one.hasModule !== other.hasModule) return one.hasModule;
  return one.posted < other.posted;
}

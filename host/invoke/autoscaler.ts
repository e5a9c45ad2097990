// How many threads there should be: a pure function of what they have to do. Starting one takes 25 ms
// and keeping one costs 8 MB, so one is kept ready while another works, and none is started for calls
// that are over before it would be there.

export type ScaleInput = {
  /** Threads that are there or starting. */
  readonly threads: number;
  /** Threads that have something to run. */
  readonly busy: number;
  /** Threads with nothing to run for longer than `threadIdleMs`. */
  readonly idleLong: number;
  /** Calls that no thread has been given. */
  readonly waiting: number;
  readonly minThreads: number;
  readonly maxThreads: number;
};

/** The number of threads to have from now on. */
export function scale({ threads, busy, idleLong, waiting, minThreads, maxThreads }: ScaleInput): number {
  const spare = busy + waiting > 0 ? 1 : 0;
  const wanted = busy + waiting + spare;
  const kept = wanted > threads ? wanted : Math.max(wanted, threads - idleLong);
  return Math.min(maxThreads, Math.max(minThreads, kept));
}

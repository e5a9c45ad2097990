// Load by so many clients, each of which sends its next call when the one before was answered: the host
// is never without work and never has more than that. It is how throughput is measured; its times say
// little of latency, because a slow host is asked less.

export type ClosedLoop = {
  readonly clients: number;
  readonly seconds: number;
  readonly signal: AbortSignal;
  /** Performs one call. A rejection ends the run. */
  readonly call: () => Promise<void>;
};

/** Returns calls ended per second within the time; those under way at its end do not count. */
export async function closedLoop({ clients, seconds, signal, call }: ClosedLoop): Promise<number> {
  const startMs = performance.now();
  const endMs = startMs + seconds * 1000;
  let ended = 0;
  let failure: { readonly error: unknown } | null = null;
  const client = async (): Promise<void> => {
    while (performance.now() < endMs && !signal.aborted && failure === null) {
      await call().then(
        () => {
          if (performance.now() <= endMs) ended += 1;
        },
        (error: unknown) => {
          failure ??= { error };
        },
      );
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  const first: { readonly error: unknown } | null = failure;
  if (first !== null && !signal.aborted) throw (first as { readonly error: unknown }).error;
  const tookMs = Math.min(performance.now(), endMs) - startMs;
  return (ended * 1000) / tookMs;
}

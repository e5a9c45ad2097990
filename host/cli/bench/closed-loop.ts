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

/**
 * Returns calls a second: of each client its calls over the time until the last of them ended, added up.
 * Each begins no call after `seconds` and ends the one that it has: calls that take a good part of the time,
 * or longer than that, count for what they are.
 */
export async function closedLoop({ clients, seconds, signal, call }: ClosedLoop): Promise<number> {
  const startMs = performance.now();
  const endMs = startMs + seconds * 1000;
  let failure: { readonly error: unknown } | null = null;
  const client = async (): Promise<number> => {
    let calls = 0;
    let endedAtMs = startMs;
    do {
      try {
        await call();
        calls += 1;
        endedAtMs = performance.now();
      } catch (error) {
        failure ??= { error };
      }
    } while (performance.now() < endMs && !signal.aborted && failure === null);
    return calls === 0 ? 0 : (calls * 1000) / (endedAtMs - startMs);
  };
  const rates = await Promise.all(Array.from({ length: clients }, client));
  const first: { readonly error: unknown } | null = failure;
  if (first !== null && !signal.aborted) throw (first as { readonly error: unknown }).error;
  return rates.reduce((sum, rate) => sum + rate, 0);
}

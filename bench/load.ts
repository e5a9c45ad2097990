// A closed loop of so many connections against one URL: each sends its next request when it has the answer
// to the last. Answers other than 2xx end the benchmark.

import autocannon from "autocannon";

export type Load = { readonly perSecond: number; readonly p99Ms: number };

/** Calls per second and p99, in whole milliseconds, over `seconds`. */
export async function load(url: string, connections: number, seconds: number): Promise<Load> {
  const result = await autocannon({ url, connections, duration: seconds });
  if (result.non2xx > 0 || result.errors > 0) {
    throw new Error(`${url}: ${result.non2xx} answers were not 2xx, ${result.errors} errors`);
  }
  // Not the average of its readings, one a second: of few answers a second those say little.
  return { perSecond: result.requests.total / result.duration, p99Ms: result.latency.p99 };
}

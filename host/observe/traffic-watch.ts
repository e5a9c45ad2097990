// What functions did of late: the difference between the sums of two moments.

import { boundsMs, CallSeries } from "./call-series.ts";
import type { FunctionTraffic, Traffic } from "./traffic.ts";

/** Sums of calls that ended between two moments. */
export type TrafficLine = {
  /** Null for those of the whole host, calls of no function included. */
  readonly function: string | null;
  readonly series: CallSeries;
};

export class TrafficWatch {
  readonly #traffic: Traffic;
  readonly #totalBefore: CallSeries;
  readonly #before = new Map<FunctionTraffic, CallSeries>();

  /** Looks from now on. */
  constructor(traffic: Traffic) {
    this.#traffic = traffic;
    this.#totalBefore = traffic.total.copy();
    for (const each of traffic.all()) this.#before.set(each, each.all.copy());
  }

  /** What came since: of the host, and of the `limit` functions with the most calls. */
  since(limit: number): { readonly total: TrafficLine; readonly functions: readonly TrafficLine[] } {
    const functions: TrafficLine[] = [];
    for (const each of this.#traffic.all()) {
      const before = this.#before.get(each);
      if (each.all.calls === (before?.calls ?? 0)) continue;
      functions.push({ function: each.name, series: difference(each.all, before ?? new CallSeries()) });
    }
    functions.sort((a, b) => b.series.calls - a.series.calls);
    return {
      total: { function: null, series: difference(this.#traffic.total, this.#totalBefore) },
      functions: functions.slice(0, limit),
    };
  }
}

/** The time that a share of the calls did not exceed, ms, as well as the buckets tell; null when there were none. */
export function quantileMs({ buckets }: CallSeries, share: number): number | null {
  const calls = buckets.reduce((sum, each) => sum + each, 0);
  if (calls === 0) return null;
  let before = 0;
  for (const [index, inside] of buckets.entries()) {
    if (inside > 0 && before + inside >= share * calls) {
      const fromMs = boundsMs[index - 1] ?? 0;
      const toMs = boundsMs[index] ?? fromMs;
      return fromMs + ((toMs - fromMs) * (share * calls - before)) / inside;
    }
    before += inside;
  }
  return boundsMs.at(-1) ?? null;
}

function difference(after: CallSeries, before: CallSeries): CallSeries {
  const found = after.copy();
  found.ok -= before.ok;
  found.clientGone -= before.clientGone;
  found.caller -= before.caller;
  found.guest -= before.guest;
  found.host -= before.host;
  found.wallMs -= before.wallMs;
  found.cpuMs -= before.cpuMs;
  found.waitMs -= before.waitMs;
  found.pageMs -= before.pageMs;
  found.bytesIn -= before.bytesIn;
  found.bytesOut -= before.bytesOut;
  found.hostCalls -= before.hostCalls;
  for (const [index, calls] of before.buckets.entries()) {
    found.buckets[index] = (found.buckets[index] ?? 0) - calls;
  }
  return found;
}

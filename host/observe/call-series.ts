// Running sums of calls: how many ended how, how long they took, what they used. One is kept for the host,
// for each function, and for each function that has lines of its own in the metrics. Adding to it allocates
// nothing: it is done once or more for each call.

import type { EndedCall } from "../ended-call.ts";
import { type CallOutcome, errorTable } from "../errors.ts";

/** What a call's outcome comes down to: well, nobody waited for it any more, or whose fault it was. */
export type CallResultClass = "ok" | "client_gone" | "caller" | "guest" | "host";

export function classOf(outcome: CallOutcome): CallResultClass {
  return outcome === "ok" || outcome === "client_gone" ? outcome : errorTable[outcome].fault;
}

/** Upper bounds of times, ms; what took longer than the last is in one further bucket. */
export const boundsMs: readonly number[] = [
  0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700,
  1_000, 1_500, 2_000, 3_000, 5_000, 10_000, 30_000, 60_000, 300_000, 900_000,
];
const bounds = Float64Array.from(boundsMs);

/** The bucket of a time: the first whose bound it does not exceed. */
export function bucketOf(ms: number): number {
  let low = 0;
  let high = bounds.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ms <= (bounds[middle] as number)) high = middle;
    else low = middle + 1;
  }
  return low;
}

export class CallSeries {
  ok = 0;
  clientGone = 0;
  caller = 0;
  guest = 0;
  host = 0;
  wallMs = 0;
  cpuMs = 0;
  waitMs = 0;
  pageMs = 0;
  bytesIn = 0;
  bytesOut = 0;
  hostCalls = 0;
  /** Calls by time, not cumulative. */
  readonly buckets = new Float64Array(bounds.length + 1);

  add({ outcome, wallMs, timings, bytesIn, bytesOut }: EndedCall, bucket: number): void {
    if (outcome === "ok") this.ok += 1;
    else this.#addFailure(outcome);
    this.wallMs += wallMs;
    this.cpuMs += timings.cpu ?? 0;
    this.waitMs += timings.wait ?? 0;
    this.pageMs += timings.pageMs ?? 0;
    this.bytesIn += bytesIn;
    this.bytesOut += bytesOut;
    this.hostCalls += timings.hostCalls ?? 0;
    this.buckets[bucket] = (this.buckets[bucket] as number) + 1;
  }

  get calls(): number {
    return this.ok + this.clientGone + this.caller + this.guest + this.host;
  }

  copy(): CallSeries {
    const copy = new CallSeries();
    const { buckets, ...sums } = this;
    Object.assign(copy, sums);
    copy.buckets.set(buckets);
    return copy;
  }

  #addFailure(outcome: Exclude<CallOutcome, "ok">): void {
    switch (classOf(outcome)) {
      case "client_gone":
        this.clientGone += 1;
        break;
      case "caller":
        this.caller += 1;
        break;
      case "guest":
        this.guest += 1;
        break;
      default:
        this.host += 1;
    }
  }
}

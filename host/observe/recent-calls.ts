// Calls that ended lately, each by itself, for whoever asks what went wrong. In memory and bounded: of those
// that failed the last are kept, of those that went well as many as a busy host can afford.

import type { CallKind, EndedCall } from "../ended-call.ts";
import type { CallOutcome } from "../errors.ts";
import type { Timings } from "../invocation.ts";
import { limits } from "../limits.ts";
import { Ring } from "./ring.ts";

export type RecentCall = {
  /** Counts up: the newer of two has the higher. */
  readonly place: number;
  readonly id: string;
  /** The asynchronous call that it was an attempt at. */
  readonly invocationId: string | null;
  readonly kind: CallKind;
  readonly function: string;
  /** Null when there was none of that name and pin. */
  readonly version: number | null;
  readonly alias: string;
  readonly outcome: CallOutcome;
  readonly status: number;
  /** When it ended, Unix ms. */
  readonly endedAtMs: number;
  readonly wallMs: number;
  readonly timings: Timings;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly traceId: string | null;
};

export type RecentFilter = {
  /** Of which functions; null is none. */
  readonly among: (functionName: string | null) => boolean;
  /** `failed` is any but `ok`; null is any. */
  readonly outcome: CallOutcome | "failed" | null;
};

const secondMs = 1_000;
const textMax = 128;

export class RecentCalls {
  /** Those that went well, and those of no function. */
  readonly #good = new Ring<RecentCall>(limits.recentCallsMax);
  readonly #failed = new Ring<RecentCall>(limits.recentFailuresMax);
  readonly #now: () => number;
  #place = 0;
  /** Of the second that runs: when it began, by `performance.now`, and how many good ones were kept. */
  #secondAtMs = Number.NEGATIVE_INFINITY;
  #kept = 0;
  /** Calls that were not kept. */
  skipped = 0;

  /** `now`: Unix ms. */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  keep(call: EndedCall): void {
    // Calls of names that nobody has are as many as somebody likes to make.
    if (call.outcome !== "ok" && call.deployment !== null) return this.#failed.push(this.#recordOf(call));
    const endedMs = call.startMs + call.wallMs;
    if (endedMs - this.#secondAtMs >= secondMs) {
      this.#secondAtMs = endedMs;
      this.#kept = 0;
    }
    if (this.#kept >= limits.recentCallsPerSecondMax) {
      this.skipped += 1;
      return;
    }
    this.#kept += 1;
    this.#good.push(this.#recordOf(call));
  }

  /** Newest first, those before the place. */
  list({ among, outcome }: RecentFilter, before: number, limit: number): RecentCall[] {
    const wanted = (call: RecentCall): boolean =>
      call.place < before &&
      among(call.function) &&
      (outcome === null || (outcome === "failed" ? call.outcome !== "ok" : call.outcome === outcome));
    return [this.#failed, this.#good]
      .flatMap((ring) => ring.newest(wanted, limit))
      .sort((a, b) => b.place - a.place)
      .slice(0, limit);
  }

  /** The last one under that id: a function that calls another one passes its own on. */
  get(id: string): RecentCall | null {
    const [found = null] = [this.#failed, this.#good]
      .flatMap((ring) => ring.newest((call) => call.id === id, 1))
      .sort((a, b) => b.place - a.place);
    return found;
  }

  #recordOf(call: EndedCall): RecentCall {
    const { deployment, timings, trace } = call;
    this.#place += 1;
    return {
      place: this.#place,
      id: ownText(call.requestId),
      invocationId: call.invocationId,
      kind: call.kind,
      function: ownText(call.functionName),
      version: deployment?.version ?? null,
      alias: ownText(call.alias),
      outcome: call.outcome,
      status: call.status,
      endedAtMs: this.#now(),
      wallMs: call.wallMs,
      timings,
      bytesIn: call.bytesIn,
      bytesOut: call.bytesOut,
      traceId: trace?.isSampled === true ? trace.traceId : null,
    };
  }
}

/** As much of a text as a name can have: a caller may ask for any. Of its own: one cut from another keeps that. */
function ownText(text: string): string {
  return Buffer.from(text.slice(0, textMax)).toString();
}

// The buckets of all that is held to a rate, by name: functions, tokens, namespaces. One that has had time to
// fill is as good as none, and is let go.

import { performance } from "node:perf_hooks";
import { HostError } from "../errors.ts";
import { type Bucket, type Rate, type Taken, takeOne } from "./token-bucket.ts";

/** So many buckets are kept before those that are full are looked for. */
const keptMax = 10_000;

export type RateName = {
  /** As the headers name it: `function`, `token`, `namespace`. */
  readonly policy: string;
  /** Unique in its policy. */
  readonly of: string;
  /** For people: what has come to its rate. */
  readonly what: string;
};

export class Rates {
  readonly #buckets = new Map<string, { readonly bucket: Bucket; readonly rate: Rate }>();
  readonly #now: () => number;
  #sweepAt = keptMax;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Takes one; the headers that say what is left. Throws `rate_limited`. */
  take(name: RateName, rate: Rate): string[] {
    const key = `${name.policy} ${name.of}`;
    const taken = takeOne(this.#buckets.get(key)?.bucket ?? null, rate, this.#now());
    this.#buckets.set(key, { bucket: taken.bucket, rate });
    if (this.#buckets.size > this.#sweepAt) this.#sweep();
    const headers = rateHeaders(name.policy, rate, taken);
    if (taken.allowed) return headers;
    throw new HostError(
      "rate_limited",
      `${name.what} may be called ${rate.perSecond} times each second, ${rate.burst} at once`,
      { retryAfterS: Math.max(1, Math.ceil(taken.waitMs / 1_000)), headers },
    );
  }

  #sweep(): void {
    const now = this.#now();
    for (const [key, { bucket, rate }] of this.#buckets) {
      if (bucket.left + ((now - bucket.atMs) * rate.perSecond) / 1_000 >= rate.burst)
        this.#buckets.delete(key);
    }
    this.#sweepAt = Math.max(keptMax, 2 * this.#buckets.size);
  }
}

/** The fields of draft-ietf-httpapi-ratelimit-headers-10; names and values alternate. */
function rateHeaders(policy: string, { perSecond, burst }: Rate, { bucket, fullMs }: Taken): string[] {
  const windowS = Math.max(1, Math.ceil(burst / perSecond));
  const left = Math.floor(bucket.left);
  return [
    "ratelimit-policy",
    `"${policy}";q=${burst};w=${windowS}`,
    "ratelimit",
    `"${policy}";r=${left};t=${Math.ceil(fullMs / 1_000)}`,
  ];
}

// A rate limit as a bucket of tokens that fills at a rate up to its burst: pure functions of numbers. A time is
// milliseconds of any clock that does not go back.

export type Rate = {
  readonly perSecond: number;
  /** What a full bucket has, at least 1. */
  readonly burst: number;
};

export type Bucket = { readonly left: number; readonly atMs: number };

export type Taken = {
  readonly bucket: Bucket;
  readonly allowed: boolean;
  /** Until the next one may be taken, ms; 0 when there is one now. */
  readonly waitMs: number;
  /** Until the bucket is full, ms. */
  readonly fullMs: number;
};

/** As a configuration has it: a burst of 0 is as many as each second. */
export function rateOf(perSecond: number, burst: number): Rate {
  return { perSecond, burst: Math.max(1, burst === 0 ? Math.ceil(perSecond) : burst) };
}

/** Takes one, of a full bucket where there is none yet. */
export function takeOne(known: Bucket | null, { perSecond, burst }: Rate, nowMs: number): Taken {
  const gained = known === null ? burst : ((nowMs - known.atMs) * perSecond) / 1_000;
  const held = Math.min(burst, (known?.left ?? 0) + Math.max(0, gained));
  const allowed = held >= 1;
  const left = allowed ? held - 1 : held;
  const msFor = (wanted: number): number => Math.max(0, ((wanted - left) * 1_000) / perSecond);
  return { bucket: { left, atMs: nowMs }, allowed, waitMs: msFor(1), fullMs: msFor(burst) };
}

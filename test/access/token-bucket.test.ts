import assert from "node:assert/strict";
import { test } from "node:test";
import { Rates } from "../../host/access/rates.ts";
import { type Bucket, rateOf, takeOne } from "../../host/access/token-bucket.ts";
import { HostError } from "../../host/errors.ts";

test("a bucket gives its burst at once, then what it gains, and never more than its burst", () => {
  const rate = rateOf(10, 3);
  let bucket: Bucket | null = null;
  const take = (atMs: number): boolean => {
    const taken = takeOne(bucket, rate, atMs);
    bucket = taken.bucket;
    return taken.allowed;
  };
  assert.deepEqual([take(0), take(0), take(0), take(0)], [true, true, true, false]);
  assert.deepEqual([take(99), take(100), take(150), take(200)], [false, true, false, true]);
  assert.deepEqual([take(1e9), take(1e9), take(1e9), take(1e9)], [true, true, true, false]);
  // A clock that goes back gives nothing.
  assert.equal(take(0), false);
});

test("what is said of a bucket is when there is one again, and when it is full", () => {
  const rate = rateOf(4, 0);
  assert.deepEqual(rate, { perSecond: 4, burst: 4 });
  const { bucket, waitMs, fullMs } = takeOne(null, rate, 0);
  assert.deepEqual([bucket.left, waitMs, fullMs], [3, 0, 250]);
  assert.equal(takeOne({ left: 0.5, atMs: 0 }, rate, 0).waitMs, 125);
});

test("each name has its own bucket, and the headers say what is left of it", () => {
  let nowMs = 0;
  const rates = new Rates(() => nowMs);
  const take = (of: string) => rates.take({ policy: "function", of, what: of }, rateOf(2, 0));
  assert.deepEqual(take("a"), ["ratelimit-policy", '"function";q=2;w=1', "ratelimit", '"function";r=1;t=1']);
  take("a");
  take("b");
  assert.throws(
    () => take("a"),
    (error) =>
      error instanceof HostError &&
      error.code === "rate_limited" &&
      error.retryAfterS === 1 &&
      error.headers.includes('"function";r=0;t=1'),
  );
  take("b");
  nowMs += 500;
  take("a");
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { costOf, type RateCard, rateCardSchema } from "../host/rate-card.ts";
import type { UsageFigures } from "../host/usage.ts";

const nothing: UsageFigures = {
  calls: 0,
  cpuUs: 0,
  wallUs: 0,
  waitUs: 0,
  pageMs: 0,
  bytesIn: 0,
  bytesOut: 0,
  hostCalls: 0,
};
const card = (prices: Partial<RateCard>): RateCard => rateCardSchema.parse({ currency: "EUR", ...prices });

test("costOf is exact where binary fractions are not", () => {
  assert.equal(costOf({ ...nothing, calls: 3_000_000 }, card({ perMillionCalls: "0.1" })).total, "0.3");
  const both = costOf(
    { ...nothing, calls: 1_000_000, hostCalls: 1_000_000 },
    card({ perMillionCalls: "0.1", perMillionHostCalls: "0.2" }),
  );
  assert.equal(both.total, "0.3");
  assert.equal(both.calls, "0.1");
});

test("costOf rounds nothing, however small one call's share is", () => {
  const one = costOf({ ...nothing, calls: 1 }, card({ perMillionCalls: "0.000000000000000001" }));
  assert.equal(one.total, "0.000000000000000000000001");
});

test("costOf keeps every digit of large sums", () => {
  const prices = { perGbOut: "999999999999.999999999999999999" };
  const { total } = costOf({ ...nothing, bytesOut: Number.MAX_SAFE_INTEGER }, card(prices));
  // 9007199254740991 bytes, worked out by hand with whole numbers.
  const digits = (9_007_199_254_740_991n * 999_999_999_999_999_999_999_999_999_999n).toString();
  assert.equal(total.replace(".", "").replace(/^0+/, "").padEnd(digits.length, "0"), digits);
});

test("a gigabyte-second is 10^9 bytes for a second", () => {
  // 1,000,000,000 bytes are 15258.789... pages: 65,536 seconds of them are a whole number of page-milliseconds.
  const pageMs = (1_000_000_000 / 65_536) * 65_536 * 1_000;
  assert.equal(costOf({ ...nothing, pageMs }, card({ perGbSecond: "1" })).memory, "65536");
});

test("nothing used costs 0", () => {
  assert.equal(costOf(nothing, card({ perMillionCalls: "1", perGbSecond: "5" })).total, "0");
});

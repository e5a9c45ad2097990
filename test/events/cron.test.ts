// Cron expressions over days that are 23 and 25 hours long, and instants that nobody saw.

import assert from "node:assert/strict";
import { test } from "node:test";
import { HostError } from "../../host/errors.ts";
import { assertSchedule, dueInstants, type MissedPolicy, nextInstant } from "../../host/events/cron.ts";

const at = (text: string): number => Date.parse(text);
const texts = (instants: number[]): string[] => instants.map((ms) => new Date(ms).toISOString());
const schedule = (cron: string, timeZone = "UTC", missed: MissedPolicy = "skip") => ({
  cron,
  timeZone,
  missed,
});
const refused = (cron: string, timeZone: string, pattern: RegExp): void =>
  assert.throws(
    () => assertSchedule(schedule(cron, timeZone), at("2026-01-01T00:00:00Z")),
    (error) => error instanceof HostError && error.code === "invalid_trigger" && pattern.test(error.message),
  );

test("an expression is in its time zone, summer and winter", () => {
  const daily = schedule("30 8 * * *", "Europe/Zurich");
  assert.deepEqual(texts([nextInstant(daily, at("2026-01-10T00:00:00Z")) ?? 0]), [
    "2026-01-10T07:30:00.000Z",
  ]);
  assert.deepEqual(texts([nextInstant(daily, at("2026-07-10T00:00:00Z")) ?? 0]), [
    "2026-07-10T06:30:00.000Z",
  ]);
});

test("a time that the clocks skip or repeat is due once on its day", () => {
  const nightly = schedule("30 2 * * *", "Europe/Zurich");
  const days = (from: string, to: string): number => {
    let count = 0;
    for (let next = nextInstant(nightly, at(from)); next !== null && next < at(to); count += 1) {
      next = nextInstant(nightly, next);
    }
    return count;
  };
  // The clocks go from 2 to 3 on 29 March 2026, and from 3 to 2 on 25 October.
  assert.equal(days("2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z"), 1);
  assert.equal(days("2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z"), 1);
});

test("a date and time is due once, in its time zone", () => {
  const once = { ...schedule("2030-01-01T08:00:00"), timeZone: "Europe/Zurich" };
  assert.equal(nextInstant(once, at("2026-01-01T00:00:00Z")), at("2030-01-01T07:00:00Z"));
  assert.equal(nextInstant(once, at("2030-01-01T07:00:00Z")), null);
});

test("an instant is after the time asked for, never at it", () => {
  const minutely = schedule("* * * * *");
  assert.equal(nextInstant(minutely, at("2026-01-01T00:00:00Z")), at("2026-01-01T00:01:00Z"));
  assert.equal(nextInstant(minutely, at("2026-01-01T00:00:59.999Z")), at("2026-01-01T00:01:00Z"));
  assert.equal(nextInstant(schedule("* * * * * *"), at("2026-01-01T00:00:00Z")), at("2026-01-01T00:00:01Z"));
});

test("what is no expression, no time zone or never comes is refused and says why", () => {
  refused("every day", "UTC", /Cannot read the cron expression "every day"/);
  refused("", "UTC", /Cannot read/);
  refused("61 * * * *", "UTC", /Cannot read/);
  refused("0 0 30 2 *", "UTC", /never comes/);
  refused("0 0 * * *", "Mars/Olympus", /no time zone "Mars\/Olympus"/);
  refused("0 0 0 1 1 * 2020", "UTC", /never comes/);
  assertSchedule(schedule("0 0 29 2 *"), at("2026-01-01T00:00:00Z"));
  assertSchedule(schedule("* * * * * *"), at("2026-01-01T00:00:00Z"));
});

test("instants found within a minute are on time, whatever the policy", () => {
  const from = at("2026-01-01T00:00:00Z");
  for (const missed of ["skip", "once", "all"] as const) {
    const due = dueInstants(schedule("*/20 * * * * *", "UTC", missed), from, from + 45_000, 100);
    assert.deepEqual(due, [from + 20_000, from + 40_000]);
  }
});

test("of instants that were missed the policy says which are made up for", () => {
  const from = at("2026-01-01T00:00:00Z");
  const now = at("2026-01-01T05:30:00Z");
  const due = (missed: MissedPolicy, max = 100) =>
    texts(dueInstants(schedule("0 * * * *", "UTC", missed), from, now, max));
  assert.deepEqual(due("skip"), []);
  assert.deepEqual(due("once"), ["2026-01-01T05:00:00.000Z"]);
  assert.deepEqual(
    due("all"),
    [1, 2, 3, 4, 5].map((hour) => `2026-01-01T0${hour}:00:00.000Z`),
  );
  assert.deepEqual(due("all", 2), ["2026-01-01T04:00:00.000Z", "2026-01-01T05:00:00.000Z"]);
  assert.deepEqual(due("all", 0), []);
});

test("one that is on time stands for those that were missed once", () => {
  const from = at("2026-01-01T00:00:00Z");
  const now = at("2026-01-01T05:00:01Z");
  assert.deepEqual(texts(dueInstants(schedule("0 * * * *", "UTC", "once"), from, now, 100)), [
    "2026-01-01T05:00:00.000Z",
  ]);
  assert.equal(dueInstants(schedule("0 * * * *", "UTC", "all"), from, now, 100).length, 5);
});

test("no instant is due twice, however the time between is cut up", () => {
  const every = schedule("*/7 * * * *", "America/New_York", "all");
  const from = at("2026-10-31T00:00:00Z");
  const until = at("2026-11-02T00:00:00Z");
  const whole = dueInstants(every, from, until, 1_000);
  const pieces: number[] = [];
  for (let after = from; after < until; ) {
    const now = Math.min(until, after + 1 + ((after * 7_919) % 5_400_000));
    pieces.push(...dueInstants(every, after, now, 1_000));
    after = now;
  }
  assert.deepEqual(pieces, whole);
  assert.equal(new Set(whole).size, whole.length);
});

test("a clock that is set back makes nothing due again", () => {
  const hourly = schedule("0 * * * *", "UTC", "all");
  const last = at("2026-01-01T05:00:00Z");
  assert.deepEqual(dueInstants(hourly, last, at("2026-01-01T03:30:00Z"), 100), []);
});

// Schedules under a clock of the test's own: what is fired when, what a clock that is set does, and what a
// look costs that others have asked for.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Cron } from "croner";
import { Schedules } from "../../host/events/schedules.ts";
import { isFarAhead, parseTrigger, type Trigger } from "../../host/trigger.ts";

const hourMs = 3_600_000;
const start = Date.parse("2026-03-01T00:00:00Z");
const yearMs = 365 * 24 * hourMs;

/** Schedules of these expressions, and what they have fired, as texts. */
function schedulesOf(crons: readonly string[]) {
  const clock = { ms: start };
  const fired: string[] = [];
  const faults: unknown[] = [];
  const triggers = crons.map((cron, index): { -readonly [name in keyof Trigger]: Trigger[name] } => ({
    id: index + 1,
    function: "f",
    name: `t${index + 1}`,
    settings: parseTrigger({ kind: "schedule", cron }),
    createdAtMs: start,
    seenMs: start,
  }));
  const schedules = new Schedules({
    store: { schedules: () => triggers.map((trigger) => ({ ...trigger })) },
    queue: {
      // As the store does.
      fire: async (id, events, seenMs) => {
        const trigger = triggers.find((each) => each.id === id);
        if (trigger === undefined) throw new Error(`no trigger ${id}`);
        const before = isFarAhead(trigger.seenMs, seenMs) ? 0 : trigger.seenMs;
        for (const { atMs, event } of events) if (atMs > before) fired.push(event.attributes["id"] ?? "");
        trigger.seenMs = Math.max(before, seenMs);
      },
    },
    onFault: (error) => faults.push(error),
    now: () => clock.ms,
  });
  /** At a time: as when its timer has gone off. */
  const at = async (ms: number): Promise<string[]> => {
    fired.length = 0;
    clock.ms = ms;
    schedules.refresh();
    for (let wait = 0; wait < 5; wait += 1) await new Promise((resolve) => setTimeout(resolve, 2));
    return [...fired];
  };
  return { schedules, triggers, at, faults };
}

test("what is due is fired once, and nothing else", async (context) => {
  const { schedules, at, faults } = schedulesOf(["0 1 * * *", "0 2 * * *"]);
  context.after(() => schedules.close());
  assert.deepEqual(await at(start + 1), []);
  assert.deepEqual(await at(start + hourMs), ["f/t1/2026-03-01T01:00:00.000Z"]);
  assert.deepEqual(await at(start + hourMs + 1), []);
  assert.deepEqual(await at(start + 2 * hourMs), ["f/t2/2026-03-01T02:00:00.000Z"]);
  assert.deepEqual(faults, []);
});

test("a look computes what has changed, not what has not", async (context) => {
  const { schedules, triggers } = schedulesOf(["0 1 * * *", "0 2 * * *", "0 3 * * *"]);
  context.after(() => schedules.close());
  const computed = context.mock.method(Cron.prototype, "nextRun").mock;
  schedules.refresh();
  assert.equal(computed.callCount(), 3);
  schedules.refresh();
  assert.equal(computed.callCount(), 3);
  const [first] = triggers;
  if (first !== undefined) first.settings = parseTrigger({ kind: "schedule", cron: "0 4 * * *" });
  schedules.refresh();
  assert.equal(computed.callCount(), 4);
});

test("a clock that is set back a little fires nothing twice, and one that was a year ahead stops nothing", async (context) => {
  const { schedules, at, triggers } = schedulesOf(["0 * * * *"]);
  context.after(() => schedules.close());
  assert.deepEqual(await at(start + hourMs), ["f/t1/2026-03-01T01:00:00.000Z"]);
  assert.deepEqual(await at(start), []);
  assert.deepEqual(await at(start + hourMs), []);
  assert.equal((await at(start + yearMs)).length, 1);
  assert.deepEqual(await at(start + hourMs + 1), []);
  assert.deepEqual(await at(start + 2 * hourMs), ["f/t1/2026-03-01T02:00:00.000Z"]);
  assert.equal(triggers[0]?.seenMs, start + 2 * hourMs);
});

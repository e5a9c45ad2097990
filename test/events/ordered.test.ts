// Delivery in order: events of one key wait for one another, and cost nothing meanwhile.

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { parseTrigger } from "../../host/trigger.ts";
import { event, failure, queueOf, until } from "./queue-of.ts";

/** How many deliveries there are of which that holds. */
function rowsWhere(file: string, condition: string): number {
  const database = new DatabaseSync(file, { readOnly: true });
  const row = database.prepare(`SELECT count(*) AS found FROM deliveries WHERE ${condition}`).get();
  database.close();
  return Number(row?.["found"]);
}

test("ordered events of a key wait for one another, also while one is to be tried again", async (context) => {
  const done: string[] = [];
  let refusals = 2;
  const { queue, clock, states, dispatcher, key } = await queueOf(
    context,
    { ordered: true, backoffMs: 1_000 },
    ({ event: { attributes } }) => {
      if (attributes["id"] === "a1" && refusals-- > 0) throw failure();
      done.push(attributes["id"] ?? "");
    },
  );
  const of = (id: string) => event(id, { partitionkey: id.slice(0, 1) });
  await queue.publish("t", [of("a1"), of("a2"), of("b1"), of("b2"), of("a3")]);
  await until(() => done.length === 2 && states().includes("ready 1"));
  assert.deepEqual(done, ["b1", "b2"]);
  for (let attempt = 2; queue.count > 0 && attempt < 6; attempt += 1) {
    clock.ms += 10_000;
    dispatcher.wake([key]);
    await until(() => queue.count === 0 || states().includes(`ready ${attempt}`));
  }
  assert.deepEqual(done, ["b1", "b2", "a1", "a2", "a3"]);
});

test("those behind another of their key cost nothing while they wait", async (context) => {
  const { queue, clock, stores, states, dispatcher, key } = await queueOf(
    context,
    { ordered: true, backoffMs: 100_000, maxAgeMs: 10_000_000 },
    ({ event: { attributes } }, attempt) => {
      if (attributes["id"] === "0" && attempt === 1) throw failure();
    },
  );
  let looks = 0;
  const due = stores.events.due.bind(stores.events);
  stores.events.due = (...given) => {
    looks += 1;
    return due(...given);
  };
  const all = Array.from({ length: 50 }, (_, index) => event(String(index), { partitionkey: "k" }));
  await queue.publish("t", all);
  await until(() => states()[0] === "ready 1");
  assert.deepEqual(states().slice(1), Array(49).fill("ready 0"));
  const before = looks;
  await new Promise((resolve) => setTimeout(resolve, 60));
  assert.ok(looks <= before + 1, `looked ${looks - before} times for what waits for another`);
  // What is looked through is the first of each key, not all that wait.
  assert.equal(rowsWhere(stores.file, "state = 'ready'"), 1);
  clock.ms += 200_000;
  dispatcher.wake([key]);
  await until(() => queue.count === 0);
});

test("a dead letter that is redriven goes before those of its key that still wait, and a dropped one lets them go", async (context) => {
  const done: string[] = [];
  let broken = true;
  const { queue, clock, stores, states, dispatcher, key } = await queueOf(
    context,
    { ordered: true, attemptsMax: 1 },
    ({ event: { attributes } }) => {
      if (broken) throw failure();
      done.push(attributes["id"] ?? "");
    },
  );
  const of = (id: string) => event(id, { partitionkey: "k" });
  await queue.publish("t", ["1", "2", "3"].map(of));
  await until(() => states().every((state) => state === "dead 1"));
  // Nobody who looks for the next of their key passes by them.
  assert.equal(rowsWhere(stores.file, "order_key IS NOT NULL"), 0);
  const settings = { kind: "topic", topic: "t", ordered: true, attemptsMax: 1 };
  await stores.events.putTrigger(key, parseTrigger({ ...settings, paused: true }));
  await queue.publish("t", ["4", "5"].map(of));
  broken = false;
  await queue.redrive({ id: null, namespace: "default", function: "f", trigger: "t" });
  const [first] = stores.events.list(
    { namespace: "default", state: "ready", function: "f", trigger: "t" },
    0,
    1,
  );
  assert.equal(first?.event.attributes["id"], "1");
  await queue.drop(first?.id ?? 0);
  await stores.events.putTrigger(key, parseTrigger(settings));
  clock.ms += 1_000;
  dispatcher.wake([key]);
  await until(() => queue.count === 0);
  assert.deepEqual(done, ["2", "3", "4", "5"]);
});

// Delivery under a clock and a chance of the test's own, on a real store: attempts, back-off, order, ends.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { DeliveryFault } from "../../host/event.ts";
import { Dispatcher } from "../../host/events/dispatcher.ts";
import { EventQueue } from "../../host/events/queue.ts";
import type { DueDelivery, Publication } from "../../host/store/event-store.ts";
import { openStores } from "../../host/store/sqlite/stores.ts";
import { parseTrigger } from "../../host/trigger.ts";
import { event, failure, queueOf, until } from "./queue-of.ts";

test("what was delivered leaves the queue, and its event with it", async (context) => {
  const seen: string[] = [];
  const { queue, stores, states } = await queueOf(context, {}, ({ event: { data } }) => {
    seen.push(Buffer.from(data).toString());
  });
  assert.deepEqual(await queue.publish("nobody", [event("0")]), { listeners: [], deliveries: 0 });
  await queue.publish("t", [event("1"), event("2")]);
  await until(() => queue.count === 0);
  assert.deepEqual(seen.sort(), ["1", "2"]);
  assert.deepEqual(states(), []);
  assert.equal(stores.events.count(), 0);
});

test("a clock that is set back makes nothing late, and one that is set forward loses nothing", async (context) => {
  const attempts: number[] = [];
  const { queue, clock, states, dispatcher, key } = await queueOf(
    context,
    { attemptsMax: 4, backoffMs: 1_000, backoffMaxMs: 1_000 },
    (_, attempt) => {
      attempts.push(attempt);
      if (attempt < 3) throw failure();
    },
  );
  await queue.publish("t", [event("1")]);
  await until(() => states()[0] === "ready 1");
  clock.ms -= 7_200_000;
  dispatcher.wake([key]);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(attempts, [1]);
  clock.ms += 1_001;
  dispatcher.wake([key]);
  await until(() => states()[0] === "ready 2");
  clock.ms += 7_200_000;
  dispatcher.wake([key]);
  await until(() => queue.count === 0);
  assert.deepEqual(attempts, [1, 2, 3]);
});

test("an attempt that failed is made again after a back-off that doubles, and then no more", async (context) => {
  const attempts: number[] = [];
  const { queue, stores, clock, states, dispatcher, key } = await queueOf(
    context,
    { attemptsMax: 3, backoffMs: 1_000, backoffMaxMs: 1_500 },
    (_, attempt) => {
      attempts.push(attempt);
      throw failure();
    },
  );
  await queue.publish("t", [event("1")]);
  await until(() => states()[0] === "ready 1");
  const started = clock.ms;
  assert.equal(stores.events.nextDueMs(key), started + 1_000);
  clock.ms = started + 999;
  dispatcher.wake([key]);
  assert.deepEqual(attempts, [1]);
  clock.ms = started + 1_000;
  dispatcher.wake([key]);
  await until(() => states()[0] === "ready 2");
  assert.equal(stores.events.nextDueMs(key), clock.ms + 1_500);
  clock.ms += 1_500;
  dispatcher.wake([key]);
  await until(() => states()[0] === "dead 3");
  assert.deepEqual(attempts, [1, 2, 3]);
  const [dead] = stores.events.list(
    { namespace: "default", state: "dead", function: "f", trigger: "t" },
    0,
    10,
  );
  assert.deepEqual(dead?.fault, { code: "refused", message: "no", lines: ["info tried"] });
  assert.equal(queue.count, 1);
});

test("a host without room is not held against the event", async (context) => {
  let rooms = 3;
  const attempt = (): void => {
    if (rooms-- > 0) throw failure(false);
  };
  const { queue, clock, states, dispatcher, key } = await queueOf(context, { attemptsMax: 1 }, attempt, {
    noRoomMs: 1,
  });
  await queue.publish("t", [event("1")]);
  for (let left = 2; left >= 0; left -= 1) {
    await until(() => rooms === left && states()[0] === "ready 0");
    clock.ms += 1_000;
    dispatcher.wake([key]);
  }
  await until(() => queue.count === 0);
});

test("of what waits for a host without room none is tried until an attempt has left some, or time has passed", async (context) => {
  const begun: string[] = [];
  const room = Promise.withResolvers<void>();
  context.after(() => room.resolve());
  const { queue } = await queueOf(
    context,
    { concurrency: 2 },
    async ({ event: { attributes } }) => {
      begun.push(attributes["id"] ?? "");
      if (begun.length === 1) return room.promise;
      if (begun.length === 2) throw failure(false);
    },
    { noRoomMs: 600_000 },
  );
  await queue.publish(
    "t",
    Array.from({ length: 20 }, (_, index) => event(String(index))),
  );
  await until(() => begun.length === 2);
  // Whatever is written meanwhile: nothing further is begun.
  for (let wait = 0; wait < 5; wait += 1)
    await queue.redrive({ id: 0, namespace: "default", function: null, trigger: null });
  assert.deepEqual(begun, ["0", "1"]);
  room.resolve();
  await until(() => queue.count === 1);
  assert.equal(begun.length, 20);
});

test("no more run at once than the trigger allows, and all get their turn", async (context) => {
  let [running, most, done] = [0, 0, 0];
  const { queue } = await queueOf(context, { concurrency: 3 }, async () => {
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setTimeout(resolve, 2));
    running -= 1;
    done += 1;
  });
  await queue.publish(
    "t",
    Array.from({ length: 40 }, (_, index) => event(String(index))),
  );
  await until(() => done === 40 && queue.count === 0);
  assert.equal(most, 3);
});

test("a paused trigger keeps its events until it goes on", async (context) => {
  let delivered = 0;
  const { queue, stores, states, dispatcher, key } = await queueOf(context, { paused: true }, () => {
    delivered += 1;
  });
  await queue.publish("t", [event("1")]);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual([states(), delivered], [["ready 0"], 0]);
  await stores.events.putTrigger(key, parseTrigger({ kind: "topic", topic: "t" }));
  dispatcher.wake([key]);
  await until(() => delivered === 1 && queue.count === 0);
});

test("events of a function or a trigger that is gone are dead letters that say so", async (context) => {
  const { queue, stores, dispatcher, key } = await queueOf(context, { paused: true }, () => {});
  await queue.publish("t", [event("1")]);
  await stores.events.removeTrigger(key);
  dispatcher.wake([key]);
  const faults = () =>
    stores.events
      .list({ namespace: "default", state: "dead", function: null, trigger: null }, 0, 10)
      .map(({ fault }) => fault?.code);
  await until(() => faults().length === 1);
  await stores.events.putTrigger(key, parseTrigger({ kind: "topic", topic: "t", paused: true }));
  await queue.publish("t", [event("2")]);
  await stores.functions.remove("f");
  dispatcher.wake([key]);
  await until(() => faults().length === 2);
  assert.deepEqual(faults(), ["trigger_not_found", "function_not_found"]);
});

test("an event that is too old is given up without an attempt", async (context) => {
  let attempts = 0;
  const told: string[] = [];
  const attempt = (): void => {
    attempts += 1;
    throw failure();
  };
  const callbackOf = (
    { event: { attributes } }: DueDelivery,
    { code }: DeliveryFault,
  ): Publication | null => {
    told.push(`${attributes["id"]} ${code}`);
    return told.length === 1 ? { topic: "t", event: event("of the end") } : null;
  };
  const { queue, clock, states, dispatcher, key } = await queueOf(context, { maxAgeMs: 120_000 }, attempt, {
    callbackOf,
  });
  await queue.publish("t", [event("1")]);
  await until(() => states()[0] === "ready 1");
  clock.ms += 120_000;
  dispatcher.wake([key]);
  await until(() => states()[0] === "dead 1");
  assert.equal(attempts, 1);
  // What is published of the end is, with it.
  await until(() => told.length === 2);
  assert.deepEqual([told[0], queue.count], ["1 refused", 2]);
});

test("what an earlier process had leased is delivered at once, and its attempt counts", async (context) => {
  const { stores, queue, key, states } = await queueOf(context, { paused: true }, () => {});
  await queue.publish("t", [event("1")]);
  await stores.events.lease([1]);
  assert.deepEqual(states(), ["leased 1"]);
  const later = await openStores(stores.file, assert.ifError);
  context.after(() => later.close());
  assert.deepEqual(states(), ["ready 1"]);
  assert.ok((later.events.nextDueMs(key) ?? Number.POSITIVE_INFINITY) <= Date.now());
});

test("a dead letter that is redriven has all its attempts again, and one that is dropped is gone", async (context) => {
  let fails = true;
  const { queue, states, stores } = await queueOf(context, { attemptsMax: 1 }, () => {
    if (fails) throw failure();
  });
  await queue.publish("t", [event("1"), event("2")]);
  await until(() => states().every((state) => state === "dead 1"));
  fails = false;
  assert.equal(await queue.redrive({ id: 1, namespace: "default", function: null, trigger: null }), 1);
  await until(() => queue.count === 1);
  assert.equal(await queue.drop(2), true);
  assert.equal(await queue.drop(2), false);
  assert.deepEqual([queue.count, stores.events.count()], [0, 0]);
  assert.equal(await queue.redrive({ id: null, namespace: "default", function: "f", trigger: null }), 0);
});

test("a full queue takes nothing, and says when to come again", async (context) => {
  const { stores } = await queueOf(context, { paused: true }, () => {});
  const small = new EventQueue(stores.events, 2);
  // As the writer's thread says it, and as the queue does.
  const full = { code: "queue_full", retryAfterS: 5 };
  await assert.rejects(small.publish("t", [event("1"), event("2"), event("3")]), full);
  await small.publish("t", [event("1"), event("2")]);
  await assert.rejects(small.publish("t", [event("3")]), full);
  assert.equal(stores.events.count(), 2);
  await assert.rejects(new EventQueue(stores.events).publish("t", [{ ...event("4"), depth: 17 }]), {
    code: "too_deep",
  });
});

test("an end that cannot be stored is stored later, and until then nobody else has the event", async (context) => {
  let attempts = 0;
  const { stores, key, clock } = await queueOf(context, { paused: true }, () => {});
  const queue = new EventQueue(stores.events);
  await queue.publish("t", [event("1")]);
  await stores.events.putTrigger(key, parseTrigger({ kind: "topic", topic: "t" }));
  const faults: unknown[] = [];
  const dispatcher = new Dispatcher({
    store: stores.events,
    queue: {
      end: async (end) => {
        if (faults.length < 2) throw new Error("no room");
        await queue.end(end);
      },
    },
    settingsOf: (each) => stores.events.trigger(each)?.settings ?? null,
    attempt: async () => {
      attempts += 1;
      return {};
    },
    exists: () => true,
    onFault: (error) => faults.push(error),
    now: () => clock.ms,
    faultRestMs: 5,
  });
  dispatcher.wake([key]);
  await until(() => queue.count === 0);
  assert.deepEqual([attempts, faults.length], [1, 2]);
  await dispatcher.close();
});

test("a dispatcher that is closed waits for no store that fails", async (context) => {
  const { stores, key, clock } = await queueOf(context, { paused: true }, () => {});
  await new EventQueue(stores.events).publish("t", [event("1")]);
  await stores.events.putTrigger(key, parseTrigger({ kind: "topic", topic: "t" }));
  let faults = 0;
  const dispatcher = new Dispatcher({
    store: stores.events,
    queue: { end: () => Promise.reject(new Error("no room")) },
    settingsOf: (each) => stores.events.trigger(each)?.settings ?? null,
    attempt: async () => ({}),
    exists: () => true,
    onFault: () => {
      faults += 1;
    },
    now: () => clock.ms,
    faultRestMs: 3_600_000,
  });
  dispatcher.wake([key]);
  await until(() => faults === 1);
  await dispatcher.close();
});

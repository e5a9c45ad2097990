import assert from "node:assert/strict";
import { test } from "node:test";
import type { PoolCall, PoolOutcome } from "../../host/invoke/pool.ts";
import { Scheduler } from "../../host/invoke/scheduler.ts";
import { noStreams } from "../support/streams.ts";

/** A pool with `room` places that records what it is told; `full` takes no call of those functions. */
function fakePool(room: number) {
  const posted: PoolCall[] = [];
  const stopped: PoolCall[] = [];
  return {
    posted,
    stopped,
    room,
    full: new Set<string>(),
    wanted: 0,
    post(call: PoolCall): boolean {
      if (posted.length >= this.room || this.full.has(call.functionName)) return false;
      posted.push(call);
      return true;
    },
    wants(waiting: number): void {
      this.wanted = waiting;
    },
    stop: (call: PoolCall) => void stopped.push(call),
  };
}

function call(versionId: number, settled: PoolOutcome[] = []): PoolCall {
  const setup = {
    versionId,
    cpuMs: 1,
    code: null as never,
    moduleBytes: 0,
    memory: null,
    instances: "new",
    singleInstances: "new",
    env: [],
    secrets: [],
    args: [],
    files: null,
  } as const;
  return {
    key: versionId,
    ownThreads: false,
    metered: true,
    versionId,
    functionName: `function-${versionId}`,
    message: new Uint8Array(0),
    setup,
    streams: noStreams,
    log: () => {},
    errand: async () => assert.fail("nothing is asked"),
    settle: (outcome) => void settled.push(outcome),
  };
}

test("Scheduler posts in the order of arrival, as far as there is room", () => {
  const pool = fakePool(2);
  const scheduler = new Scheduler(() => pool, []);
  const calls = [call(1), call(2), call(3)];
  for (const each of calls) scheduler.enqueue(each);
  assert.deepEqual(pool.posted, calls.slice(0, 2));
  assert.equal(scheduler.waiting, 1);
  pool.room = 3;
  scheduler.dispatch();
  assert.deepEqual(pool.posted, calls);
});

test("Scheduler posts a call that came back before those that never went", () => {
  const pool = fakePool(1);
  const scheduler = new Scheduler(() => pool, []);
  const [back, later] = [call(1), call(2)];
  scheduler.enqueue(back);
  scheduler.enqueue(later);
  pool.posted.length = 0;
  pool.room = 0;
  scheduler.enqueueAgain(back);
  pool.room = 2;
  scheduler.dispatch();
  assert.deepEqual(pool.posted, [back, later]);
});

test("Scheduler never posts two suspects together, and others beside one", () => {
  const pool = fakePool(10);
  const scheduler = new Scheduler(() => pool, [1, 2]);
  const [first, same, other, innocent] = [call(1), call(1), call(2), call(3)];
  for (const each of [first, same, other, innocent]) scheduler.enqueue(each);
  assert.deepEqual(pool.posted, [first, same, innocent]);
  assert.equal(scheduler.ended(innocent, true), false);
  assert.equal(pool.posted.includes(other), false);
  assert.equal(scheduler.ended(first, true), true);
  assert.equal(pool.posted.includes(other), false);
  scheduler.ended(same, true);
  assert.equal(pool.posted.at(-1), other);
});

test("Scheduler keeps a suspect under suspicion when its thread was lost", () => {
  const pool = fakePool(10);
  const scheduler = new Scheduler(() => pool, [1, 2]);
  const [first, other] = [call(1), call(2)];
  scheduler.enqueue(first);
  assert.equal(scheduler.ended(first, false), false);
  const again = call(1);
  scheduler.enqueue(again);
  scheduler.enqueue(other);
  assert.equal(pool.posted.includes(other), false);
});

test("Scheduler settles a call that is stopped while it waits, and passes on one that is posted", () => {
  const pool = fakePool(1);
  const scheduler = new Scheduler(() => pool, []);
  const settled: PoolOutcome[] = [];
  const [posted, waiting] = [call(1), call(2, settled)];
  scheduler.enqueue(posted);
  scheduler.enqueue(waiting);
  scheduler.stop(waiting, "deadline_exceeded");
  assert.deepEqual(settled, [{ kind: "stopped", code: "deadline_exceeded", runMs: null }]);
  assert.equal(scheduler.waiting, 0);
  scheduler.stop(posted, "deadline_exceeded");
  assert.deepEqual(pool.stopped, [posted]);
});

test("Scheduler holds a suspect back although another suspect's stopped call never ran", () => {
  const pool = fakePool(0);
  const scheduler = new Scheduler(() => pool, [1, 2]);
  const [never, running, other] = [call(1), call(1), call(2)];
  scheduler.enqueue(never);
  scheduler.enqueue(running);
  scheduler.stop(never, "deadline_exceeded");
  pool.room = 10;
  scheduler.dispatch();
  scheduler.enqueue(other);
  assert.deepEqual(pool.posted, [running]);
});

test("Scheduler gives up what waits when it is closed, and what comes later", () => {
  const pool = fakePool(0);
  const scheduler = new Scheduler(() => pool, [1, 2]);
  const settled: PoolOutcome[] = [];
  scheduler.enqueue(call(1, settled));
  scheduler.enqueueAgain(call(3, settled));
  scheduler.close();
  scheduler.enqueue(call(4, settled));
  scheduler.enqueueAgain(call(5, settled));
  assert.deepEqual(settled, Array(4).fill({ kind: "lost" }));
  assert.equal(scheduler.waiting, 0);
});

test("Scheduler gives the functions turns: one with many calls keeps no other waiting", () => {
  const pool = fakePool(0);
  const scheduler = new Scheduler(() => pool, []);
  const many = Array.from({ length: 1_000 }, () => call(1));
  const [other, third] = [call(2), call(3)];
  for (const each of [...many, other, third]) scheduler.enqueue(each);
  assert.equal(pool.wanted, 1_002);
  pool.room = 5;
  scheduler.dispatch();
  assert.deepEqual(
    pool.posted.map(({ versionId }) => versionId).toSorted((one, two) => one - two),
    [1, 1, 1, 2, 3],
  );
  assert.deepEqual(
    pool.posted.filter(({ versionId }) => versionId === 1),
    many.slice(0, 3),
  );
  assert.equal(pool.wanted, 997);
});

test("Scheduler lets no new call overtake one that waits, also when there is room again", () => {
  const pool = fakePool(0);
  const scheduler = new Scheduler(() => pool, []);
  const [first, second] = [call(1), call(1)];
  scheduler.enqueue(first);
  pool.room = 1;
  scheduler.enqueue(second);
  assert.deepEqual(pool.posted, [first]);
  assert.equal(scheduler.waiting, 1);
});

test("Scheduler passes over a function that finds no room, and tries it again", () => {
  const pool = fakePool(10);
  pool.full.add("function-1");
  const scheduler = new Scheduler(() => pool, []);
  const [first, second, other] = [call(1), call(1), call(2)];
  for (const each of [first, second, other]) scheduler.enqueue(each);
  assert.deepEqual(pool.posted, [other]);
  pool.full.clear();
  scheduler.dispatch();
  assert.deepEqual(pool.posted, [other, first, second]);
  assert.equal(scheduler.waiting, 0);
});

test("Scheduler tries every function in the end, however many find no room", () => {
  const pool = fakePool(10_000);
  const scheduler = new Scheduler(() => pool, []);
  for (let at = 1; at <= 200; at += 1) pool.full.add(`function-${at}`);
  const calls = Array.from({ length: 201 }, (_, at) => call(at + 1));
  for (const each of calls) scheduler.enqueue(each);
  for (let count = 0; count < 20 && pool.posted.length === 0; count += 1) scheduler.dispatch();
  assert.deepEqual(pool.posted, [calls[200]]);
});

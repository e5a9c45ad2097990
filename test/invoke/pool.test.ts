// Calls on real threads: each is settled once, whatever becomes of its thread.

import { strict as assert } from "node:assert";
import { after, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { Pool, type PoolCall, type PoolOutcome } from "../../host/invoke/pool.ts";
import { threadCells } from "../../host/invoke/threads.ts";
import { limits } from "../../host/limits.ts";
import { boxedBytesMax, boxesMax } from "../../host/worker/mailbox.ts";
import type { ModuleSetup } from "../../host/worker/protocol.ts";
import { until } from "../flow/supervised-host.ts";
import { answering, assemble, mirror } from "../support/guests.ts";
import { noStreams } from "../support/streams.ts";
import "../support/unmetered-engine.ts";
import { setupOf } from "./setup.ts";

const good = setupOf(answering("good"));
const loops = assemble(
  `(module (memory (export "memory") 1) (func (export "mayfly_handle") (param i32) (loop (br 0))))`,
);
const loop = setupOf(loops, 2);
/** Asks nobody as it runs. */
const unmetered: ModuleSetup = {
  ...loop,
  code: { module: new WebAssembly.Module(loops as BufferSource), abi: "assemblyscript" },
  memory: null,
};
const brief = setupOf(loops, 3, 30);
const sleep = setupOf(
  assemble(`(module (import "mayfly" "sleep" (func $sleep (param f64))) (memory (export "memory") 1)
    (func (export "mayfly_handle") (param i32) (call $sleep (f64.const 600000))))`),
  4,
);
/** Grows by one page and traps when it may not; begins with a page of at most two. */
const growing = setupOf(
  assemble(`(module (memory (export "memory") 1) (func (export "mayfly_handle") (param i32)
    (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then (unreachable)))
    (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then (unreachable)))))`),
  5,
);

/** Answers with what it was asked, 12 bytes more; starts with 100 pages of memory. */
const mirrors: ModuleSetup = {
  ...setupOf(mirror(), 6),
  memory: { initialPages: 100, maximumPages: 100 },
};

const pools: Pool[] = [];
after(() => Promise.all(pools.map((pool) => pool.close())));

type Bounds = { readonly memoryBytesMax?: number; readonly threadIdleMs?: number };

function poolOf(minThreads: number, maxThreads: number, bounds: Bounds = {}) {
  const events: string[] = [];
  const waiting: PoolCall[] = [];
  const dispatch = (): void => {
    while (waiting[0] !== undefined && pool.post(waiting[0])) waiting.shift();
    pool.wants(waiting.length);
  };
  const cells = threadCells();
  const pool: Pool = new Pool({
    minThreads,
    maxThreads,
    runningFile: "",
    cells,
    memoryBytesMax: 2 ** 30,
    ...bounds,
    onRoom: dispatch,
    onUnkillable: () => events.push("unkillable"),
    onUnstartable: () => events.push("unstartable"),
    onThreadLost: () => events.push("lost"),
    onFault: (error) => events.push(String(error)),
    onBackstop: () => events.push("backstop"),
  });
  pools.push(pool);
  const outcomes: PoolOutcome[] = [];
  /** Posts a call, or lets it wait for room. */
  const run = (
    setup: ModuleSetup,
    name = "f",
    message = new Uint8Array(4),
    metered = true,
  ): { call: PoolCall; done: Promise<PoolOutcome> } => {
    let settle = (_outcome: PoolOutcome): void => {};
    let settled = 0;
    const done = new Promise<PoolOutcome>((resolve) => (settle = resolve));
    const { versionId } = setup;
    const call: PoolCall = {
      key: versionId,
      ownThreads: false,
      metered,
      versionId,
      functionName: name,
      message,
      setup,
      streams: noStreams,
      log: () => {},
      errand: async () => ({ failed: true, message: new Uint8Array(1) }),
      settle: (outcome) => {
        // A thread that stood still for a moment, as on a busy machine: it goes back in line.
        if (outcome.kind === "returned") {
          waiting.push(call);
          return dispatch();
        }
        settled += 1;
        assert.equal(settled, 1, "settled twice");
        outcomes.push(outcome);
        settle(outcome);
      },
    };
    waiting.push(call);
    dispatch();
    return { call, done };
  };
  const kind = async (work: Promise<PoolOutcome>): Promise<string> => (await work).kind;
  return { pool, run, events, outcomes, kind, waiting, freeBoxes: cells.freeBoxes };
}

test("a call is answered, and its slot and thread are free again", async () => {
  const { pool, run, events, kind } = poolOf(1, 1);
  for (let count = 0; count < 3; count += 1) assert.equal(await kind(run(good).done), "answered");
  assert.deepEqual([pool.posted, pool.threads, events], [0, 1, []]);
});

test("a thousand calls at once on one thread are each answered once", async () => {
  const { pool, run, outcomes } = poolOf(1, 1);
  await Promise.all(Array.from({ length: 1_000 }, () => run(good).done));
  assert.equal(outcomes.filter(({ kind }) => kind === "answered").length, 1_000);
  assert.deepEqual([pool.posted, pool.threads], [0, 1]);
});

test("messages of every length around that of a box arrive whole, hundreds at a time", async () => {
  const { run, freeBoxes } = poolOf(2, 2);
  const sizes = [0, 1, 12, boxedBytesMax - 13, boxedBytesMax - 12, boxedBytesMax - 11];
  sizes.push(boxedBytesMax - 1, boxedBytesMax, boxedBytesMax + 1, 65_536, 200_000);
  const asked = Array.from({ length: 300 }, (_, index) =>
    new Uint8Array(sizes[index % sizes.length] ?? 0).fill(index),
  );
  const outcomes = await Promise.all(asked.map((message) => run(mirrors, "mirror", message).done));
  for (const [index, outcome] of outcomes.entries()) {
    assert.ok(outcome.kind === "answered", JSON.stringify(outcome));
    assert.deepEqual(new Uint8Array(outcome.message.subarray(12)), asked[index]);
    assert.ok(outcome.begunAtMs > 0 && (outcome.timings.instantiate ?? 0) > 0);
  }
  // One that was taken back from a thread that stood still has its box until that has seen it.
  await until(() => freeBoxes.length === boxesMax, 10_000);
});

test("boxes come back from calls that answer, trap, are stopped or taken back, and from threads that end", async () => {
  const { pool, run, freeBoxes, kind } = poolOf(1, 1);
  await run(good).done;
  const calls = [run(good), run(growing), run(loop, "loop"), run(brief, "brief"), run(sleep, "sleep")];
  // Two are left that do not end; the boxes of those that have come back as their thread says so.
  await until(() => pool.posted === 2 && freeBoxes.length === boxesMax - 2, 10_000);
  for (const { call } of calls) pool.stop(call, "deadline_exceeded");
  const late = run(loop, "late");
  pool.stop(late.call, "client_gone");
  for (const { done } of [...calls, late]) await done;
  await until(() => freeBoxes.length === boxesMax, 10_000);
  const last = run(loop, "last");
  await until(() => freeBoxes.length < boxesMax, 10_000);
  await pool.close();
  assert.equal(await kind(last.done), "lost");
  assert.equal(freeBoxes.length, boxesMax);
});

test("a box comes back once from a call that its thread answers as the pool is closed", async () => {
  const { pool, run, freeBoxes } = poolOf(1, 1);
  await run(good).done;
  const { call, done } = run(good);
  // Taken back at once: its caller has been answered, and its thread has still to say so.
  pool.stop(call, "client_gone");
  await done;
  await new Promise((resolve) => setImmediate(resolve));
  // The thread answers while this one is busy.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 30);
  await pool.close();
  assert.equal(freeBoxes.length, boxesMax);
  assert.equal(new Set(freeBoxes).size, boxesMax);
});

test("a box comes back once from a thread that is ended under its call", async () => {
  const { pool, run, freeBoxes, kind } = poolOf(1, 1);
  await run(good).done;
  const { call, done } = run(unmetered, "loop", new Uint8Array(4), false);
  await until(() => freeBoxes.length === boxesMax - 1, 10_000);
  await setTimeout(50);
  pool.stop(call, "cpu_exceeded");
  assert.equal(await kind(done), "stopped");
  await until(() => freeBoxes.length === boxesMax, 10_000);
  assert.equal(new Set(freeBoxes).size, boxesMax);
  assert.equal(await kind(run(good).done), "answered");
});

test("a call that finds no box free is posted, and answered as the others", async () => {
  const { run, freeBoxes } = poolOf(1, 1);
  freeBoxes.splice(0);
  const message = Buffer.from("without a box");
  const outcome = await run(mirrors, "mirror", message).done;
  assert.ok(outcome.kind === "answered");
  assert.equal(Buffer.from(outcome.message.subarray(12)).toString(), "without a box");
  assert.equal(freeBoxes.length, 0);
});

test("short calls are answered beside endless loops, which are stopped one by one on a thread that lives on", async () => {
  const { pool, run, events, kind } = poolOf(1, 1);
  const loops = Array.from({ length: 8 }, () => run(loop, "loop"));
  for (let count = 0; count < 20; count += 1) assert.equal(await kind(run(good).done), "answered");
  assert.equal(pool.posted, 8);
  for (const { call, done } of loops) {
    pool.stop(call, "deadline_exceeded");
    pool.stop(call, "cpu_exceeded");
    const outcome = await done;
    assert.ok(outcome.kind === "stopped" && outcome.code === "deadline_exceeded");
    assert.ok(outcome.runMs !== null && outcome.runMs > 0);
  }
  assert.equal(await kind(run(good).done), "answered");
  assert.deepEqual([pool.posted, pool.threads, events], [0, 1, []]);
});

test("a thread whose only call was taken back while it stood still is given the next one", async () => {
  const { pool, run, events, kind } = poolOf(1, 1);
  assert.equal(await kind(run(good).done), "answered");
  // The thread reads a message for a while before it knows what it was given.
  const env = Array.from({ length: 300_000 }, (_, index) => [`NAME_${index}`, `${index}`] as const);
  const slow = run({ ...good, versionId: 7, env }, "slow");
  await setTimeout(4 * limits.threadStallMs);
  pool.stop(slow.call, "client_gone");
  const outcome = await slow.done;
  assert.ok(outcome.kind === "stopped" && outcome.runMs === null, "it had not begun");
  await setTimeout(4 * limits.threadStallMs);
  assert.equal(await kind(run(good).done), "answered");
  assert.deepEqual([pool.posted, events], [0, []]);
});

test("a call that uses up its CPU time is stopped by its thread", async () => {
  const { run } = poolOf(1, 1);
  const outcome = await run(brief, "loop").done;
  assert.ok(outcome.kind === "stopped" && outcome.code === "cpu_exceeded");
});

test("a call that waits in a host call is stopped at once", async () => {
  const { pool, run, kind } = poolOf(1, 1);
  const waits = run(sleep);
  assert.equal(await kind(run(good).done), "answered");
  pool.stop(waits.call, "client_gone");
  const outcome = await waits.done;
  assert.ok(outcome.kind === "stopped" && outcome.code === "client_gone" && outcome.runMs !== null);
});

test("a call that has not begun is taken back, and was never run", async () => {
  const { pool, run, events } = poolOf(1, 1);
  await run(good).done;
  const never = run(loop);
  pool.stop(never.call, "deadline_exceeded");
  assert.deepEqual(await never.done, { kind: "stopped", code: "deadline_exceeded", runMs: null });
  assert.equal((await run(good).done).kind, "answered");
  assert.deepEqual([pool.posted, events], [0, []]);
});

test("no more than sixteen calls of one version share a thread; others find room", async () => {
  const { pool, run, waiting, kind } = poolOf(1, 1);
  const loops = Array.from({ length: 20 }, () => run(loop, "loop"));
  await until(() => pool.posted === 16, 10_000);
  assert.equal(waiting.length, 4);
  waiting.splice(0);
  assert.equal(await kind(run(good).done), "answered");
  for (const { call } of loops.slice(0, 16)) pool.stop(call, "deadline_exceeded");
  await Promise.all(loops.slice(0, 16).map(({ done }) => done));
});

test("a thousand calls that wait take none of the room, and all of them can be stopped", async () => {
  const { pool, run, kind } = poolOf(1, 1);
  const sleepers = Array.from({ length: 1_000 }, () => run(sleep));
  await until(
    () => pool.posted === 1_000,
    20_000,
    () => `${pool.posted} posted`,
  );
  assert.equal(await kind(run(good).done), "answered");
  for (const { call } of sleepers) pool.stop(call, "deadline_exceeded");
  for (const { done } of sleepers) assert.equal((await done).kind, "stopped");
  assert.equal(pool.posted, 0);
});

test("threads come with long calls, one is kept ready, and none is more than the maximum", async () => {
  const { pool, run } = poolOf(0, 3);
  assert.equal(pool.threads, 0);
  const first = run(loop, "loop");
  await until(() => pool.threads === 2, 10_000);
  const more = Array.from({ length: 6 }, () => run(loop, "loop"));
  await until(() => pool.threads === 3 && pool.posted === 7, 10_000);
  for (const { call } of [first, ...more]) pool.stop(call, "deadline_exceeded");
  for (const { done } of [first, ...more]) assert.equal((await done).kind, "stopped");
  assert.equal(pool.threads, 3);
});

test("calls whose memories the host has no room for fail as overloaded, and take nothing with them", async () => {
  const { pool, run, kind } = poolOf(1, 1, { memoryBytesMax: 5 * 65_536 });
  const sleepers = Array.from({ length: 5 }, () => run(sleep));
  await until(() => pool.heldBytes === 5 * 65_536, 10_000);
  const refused = await run(good).done;
  assert.ok(refused.kind === "failed" && refused.code === "overloaded");
  const [first] = sleepers;
  if (first !== undefined) pool.stop(first.call, "deadline_exceeded");
  await first?.done;
  assert.equal(await kind(run(good).done), "answered");
  for (const { call } of sleepers) pool.stop(call, "deadline_exceeded");
  for (const { done } of sleepers) assert.equal((await done).kind, "stopped");
  assert.equal(pool.heldBytes, 0);
});

test("a guest that traps for want of memory is told whose bound that was", async () => {
  const { pool, run } = poolOf(1, 1, { memoryBytesMax: 3 * 65_536 });
  const sleepers = [run(sleep), run(sleep)];
  await until(() => pool.heldBytes === 2 * 65_536, 10_000);
  const crowded = await run(growing).done;
  assert.ok(crowded.kind === "failed" && crowded.code === "overloaded");
  assert.equal(pool.heldBytes, 2 * 65_536);
  for (const { call } of sleepers) pool.stop(call, "deadline_exceeded");
  for (const { done } of sleepers) await done;
  const alone = await run(growing).done;
  assert.ok(alone.kind === "failed" && alone.code === "memory_exceeded");
  assert.equal(pool.heldBytes, 0);
});

test("threads that have nothing to run end after a while, to the minimum, and come again", async () => {
  const { pool, run, events, kind } = poolOf(0, 2, { threadIdleMs: 200 });
  for (let round = 0; round < 2; round += 1) {
    assert.equal(await kind(run(good).done), "answered");
    assert.ok(pool.threads > 0);
    await until(() => pool.threads === 0, 10_000);
  }
  assert.deepEqual(events, []);
});

test("closing settles what runs and what waits, once", async () => {
  const { pool, run, outcomes } = poolOf(1, 1);
  const calls = [run(loop, "loop"), run(sleep), run(loop, "loop")];
  await until(() => pool.posted === 3, 10_000);
  await pool.close();
  for (const { done } of calls) assert.equal((await done).kind, "lost");
  assert.equal(outcomes.length, 3);
});

import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { Roster } from "../../host/invoke/roster.ts";
import { threadCells } from "../../host/invoke/threads.ts";
import { takeThreadSlot } from "../../host/worker/running-record.ts";

function roster() {
  const exits: boolean[] = [];
  const faults: unknown[] = [];
  const { slots } = threadCells();
  const parts = { slots, runningFile: "", onExit: (had: boolean) => exits.push(had), onFault: faults.push };
  return { exits, faults, slots, roster: new Roster(parts) };
}

const waits = (): Worker => new Worker("setInterval(() => {}, 1000)", { eval: true });

test("a thread that ends frees its place, whether or not it ever ran a call", async () => {
  const { exits, slots, roster: threads } = roster();
  const worker = waits();
  threads.observe([worker]);
  takeThreadSlot(slots, worker.threadId);
  assert.notEqual(slots[0], 0);
  threads.started(worker.threadId);
  threads.observe([worker]);
  const exited = once(worker, "exit");
  await worker.terminate();
  await exited;
  assert.equal(slots[0], 0);
  assert.deepEqual(exits, [true]);
});

test("a thread that ends before it has started is told apart", async () => {
  const { exits, roster: threads } = roster();
  const worker = new Worker("process.exit(1)", { eval: true });
  threads.observe([worker]);
  await once(worker, "exit");
  assert.deepEqual(exits, [false]);
});

test("a thread that has ended is not taken in", async () => {
  const { exits, roster: threads } = roster();
  const worker = waits();
  await worker.terminate();
  threads.observe([worker]);
  assert.deepEqual(exits, []);
});

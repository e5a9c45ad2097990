import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseThread, longMs, packedBacklogMs, type ThreadLoad } from "../../host/invoke/balancer.ts";

const thread = (load: Partial<ThreadLoad> = {}): ThreadLoad => ({
  running: 0,
  backlogMs: 0,
  hasModule: false,
  unavailable: false,
  ...load,
});

/** A thread whose calls take a millisecond each. */
const busy = (running: number, load: Partial<ThreadLoad> = {}): ThreadLoad =>
  thread({ running, backlogMs: running, ...load });

const short = 0.1;
const cases: readonly {
  readonly name: string;
  readonly threads: readonly ThreadLoad[];
  readonly mayGrow?: boolean;
  readonly expectedMs?: number;
  readonly chosen: number | null;
}[] = [
  { name: "no thread at all", threads: [], chosen: null },
  { name: "an idle thread", threads: [thread()], chosen: 0 },
  {
    name: "of idle threads, the one that has the module",
    threads: [thread(), thread({ hasModule: true })],
    chosen: 1,
  },
  {
    name: "an idle thread without the module before a busy one with it",
    threads: [busy(1, { hasModule: true }), thread()],
    chosen: 1,
  },
  {
    name: "a thread with short calls before an idle one: waking costs more",
    threads: [thread({ hasModule: true }), thread({ running: 3, backlogMs: 0.2 })],
    chosen: 1,
  },
  {
    name: "an idle thread when the short calls of another add up",
    threads: [thread(), thread({ running: 3, backlogMs: packedBacklogMs, hasModule: true })],
    chosen: 0,
  },
  {
    name: "an idle thread for a long call, also beside one with short calls",
    threads: [thread({ running: 1, backlogMs: 0.1, hasModule: true }), thread()],
    expectedMs: longMs,
    chosen: 1,
  },
  {
    name: "no busy thread for a long call while there may be another: it would stay where it is",
    threads: [busy(1, { hasModule: true })],
    mayGrow: true,
    expectedMs: longMs,
    chosen: null,
  },
  {
    name: "a busy thread for a short call although there may be another: it has its turn at once",
    threads: [busy(1)],
    mayGrow: true,
    chosen: 0,
  },
  {
    name: "a thread with short calls for a long one although there may be another",
    threads: [thread({ running: 1, backlogMs: 0.1 })],
    mayGrow: true,
    expectedMs: longMs,
    chosen: 0,
  },
  {
    name: "of busy threads, the one that has the module",
    threads: [busy(1), busy(3, { hasModule: true })],
    chosen: 1,
  },
  { name: "of busy threads, the one with the least to do", threads: [busy(2), busy(1), busy(3)], chosen: 1 },
  { name: "one that waits for host calls alone is idle", threads: [busy(1), thread()], chosen: 1 },
  {
    name: "never one that is full, silent, starting or ended",
    threads: [thread({ unavailable: true })],
    chosen: null,
  },
  {
    name: "a busy one before one that is not available",
    threads: [thread({ unavailable: true, hasModule: true }), busy(9)],
    chosen: 1,
  },
];

for (const { name, threads, mayGrow = false, expectedMs = short, chosen } of cases) {
  test(`chooseThread: ${name}`, () => assert.equal(chooseThread(threads, { mayGrow, expectedMs }), chosen));
}

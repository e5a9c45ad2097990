import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseThread, type ThreadLoad } from "../../host/invoke/balancer.ts";

const thread = (threadId: number, load: Partial<ThreadLoad> = {}): ThreadLoad => ({
  threadId,
  posted: 0,
  backlogMs: 0,
  hasModule: false,
  stalled: false,
  ...load,
});

/** A thread whose calls take a millisecond each. */
const busy = (threadId: number, posted: number, load: Partial<ThreadLoad> = {}): ThreadLoad =>
  thread(threadId, { posted, backlogMs: posted, ...load });

const cases: readonly {
  readonly name: string;
  readonly threads: readonly ThreadLoad[];
  readonly mayGrow?: boolean;
  readonly chosen: number | null;
}[] = [
  { name: "no thread at all", threads: [], chosen: null },
  { name: "an idle thread", threads: [thread(1)], chosen: 1 },
  {
    name: "of idle threads, the one that has the module",
    threads: [thread(1), thread(2, { hasModule: true })],
    chosen: 2,
  },
  {
    name: "an idle thread without the module before a busy one with it",
    threads: [busy(1, 1, { hasModule: true }), thread(2)],
    chosen: 2,
  },
  {
    name: "a thread with short calls before an idle one: waking costs more",
    threads: [thread(1, { hasModule: true }), thread(2, { posted: 3, backlogMs: 0.2 })],
    chosen: 2,
  },
  {
    name: "an idle thread when the short calls of another add up",
    threads: [thread(1), thread(2, { posted: 3, backlogMs: 0.3, hasModule: true })],
    chosen: 1,
  },
  {
    name: "no busy thread while another may be started",
    threads: [busy(1, 1, { hasModule: true })],
    mayGrow: true,
    chosen: null,
  },
  {
    name: "a thread with short calls although another may be started",
    threads: [thread(1, { posted: 1, backlogMs: 0.1 })],
    mayGrow: true,
    chosen: 1,
  },
  {
    name: "of busy threads, the one that has the module",
    threads: [busy(1, 1), busy(2, 3, { hasModule: true })],
    chosen: 2,
  },
  {
    name: "of busy threads alike, the one that is expected to be free first",
    threads: [busy(1, 3), busy(2, 2), busy(3, 3)],
    chosen: 2,
  },
  { name: "no thread that has all it may hold", threads: [busy(1, 4)], chosen: null },
  { name: "a thread with one place left", threads: [busy(1, 3)], chosen: 1 },
  { name: "no stalled thread", threads: [busy(1, 1, { stalled: true })], chosen: null },
  {
    name: "a loaded thread before a stalled one",
    threads: [busy(1, 1, { stalled: true, hasModule: true }), busy(2, 3)],
    chosen: 2,
  },
];

for (const { name, threads, mayGrow = false, chosen } of cases) {
  test(`chooseThread takes ${name}`, () => {
    assert.equal(chooseThread(threads, { mayGrow, callsPerThreadMax: 4 }), chosen);
  });
}

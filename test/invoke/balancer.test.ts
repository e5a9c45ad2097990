import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseThread, type ThreadLoad } from "../../host/invoke/balancer.ts";

const thread = (threadId: number, load: Partial<ThreadLoad> = {}): ThreadLoad => ({
  threadId,
  posted: 0,
  hasModule: false,
  stalled: false,
  ...load,
});

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
    threads: [thread(1, { posted: 1, hasModule: true }), thread(2)],
    chosen: 2,
  },
  {
    name: "no busy thread while another may be started",
    threads: [thread(1, { posted: 1, hasModule: true })],
    mayGrow: true,
    chosen: null,
  },
  {
    name: "of busy threads, the one that has the module",
    threads: [thread(1, { posted: 1 }), thread(2, { posted: 3, hasModule: true })],
    chosen: 2,
  },
  {
    name: "of busy threads alike, the least loaded",
    threads: [thread(1, { posted: 3 }), thread(2, { posted: 2 }), thread(3, { posted: 3 })],
    chosen: 2,
  },
  { name: "no thread that has all it may hold", threads: [thread(1, { posted: 4 })], chosen: null },
  { name: "a thread with one place left", threads: [thread(1, { posted: 3 })], chosen: 1 },
  { name: "no stalled thread", threads: [thread(1, { posted: 1, stalled: true })], chosen: null },
  {
    name: "a loaded thread before a stalled one",
    threads: [thread(1, { posted: 1, stalled: true, hasModule: true }), thread(2, { posted: 3 })],
    chosen: 2,
  },
];

for (const { name, threads, mayGrow = false, chosen } of cases) {
  test(`chooseThread takes ${name}`, () => {
    assert.equal(chooseThread(threads, { mayGrow, callsPerThreadMax: 4 }), chosen);
  });
}

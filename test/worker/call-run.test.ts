// One call's slices: when its guest goes on, gives way and is stopped, and what counts as CPU time.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { verdict } from "../../host/prepared-names.ts";
import { BusyClock } from "../../host/worker/busy-clock.ts";
import { CallRun } from "../../host/worker/call-run.ts";
import { GuestFault } from "../../host/worker/guest-memory.ts";
import { MemoryBudget } from "../../host/worker/memory-budget.ts";
import { claim } from "../../host/worker/protocol.ts";

function begun(cpuMs: number) {
  const claims = new Int32Array([claim.free, claim.begun]);
  const heartbeat = new Int32Array(1);
  const heldPages = new Int32Array(1);
  const line: (() => void)[] = [];
  const entered: number[] = [];
  const waits: boolean[] = [];
  const clock = { nowMs: 0, left: 0 };
  const run = new CallRun(
    {
      claims,
      heartbeat,
      clock: new BusyClock(() => clock.nowMs),
      memory: new MemoryBudget(heldPages, new Int32Array(1), 10),
      line: (_versionId, resume) => line.push(resume),
      leaving: () => (clock.left += 1),
      entering: (versionId) => entered.push(versionId),
      now: () => clock.nowMs,
      waits: (_slot, waiting) => waits.push(waiting),
    },
    { slot: 1, versionId: 7, cpuMs },
  );
  run.enter();
  /** What the guest is told within so many checks: the first word that is not "go on". */
  const told = (): number => {
    for (let checks = 0; checks < 100; checks += 1) {
      const word = run.check();
      if (word !== verdict.goOn) return word;
    }
    return verdict.goOn;
  };
  return { run, heldPages, claims, heartbeat, line, entered, waits, clock, told };
}

const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("a guest goes on within its slice, and is to give way after it", () => {
  const { told, clock, heartbeat } = begun(1_000);
  assert.equal(told(), verdict.goOn);
  assert.equal(heartbeat[0], 100);
  clock.nowMs = 1;
  assert.equal(told(), verdict.pause);
});

test("a pause ends when its turn comes, and the time in between is nobody's", async () => {
  const { run, line, clock, entered, told } = begun(10);
  clock.nowMs = 2;
  let word: number | null = null;
  void run.pause().then((answer) => (word = answer));
  assert.equal(clock.left, 1);
  await soon();
  assert.equal(word, null);
  clock.nowMs = 500;
  line[0]?.();
  await soon();
  assert.equal(word, verdict.goOn);
  assert.deepEqual(entered, [7, 7]);
  assert.equal(run.runMs, 2);
  assert.equal(told(), verdict.goOn, "it has used 2 of 10 ms");
});

test("CPU time adds up over slices, and stops the guest for good", async () => {
  const { run, line, clock, told } = begun(5);
  for (let slice = 0; slice < 2; slice += 1) {
    clock.nowMs += 2;
    assert.equal(told(), verdict.pause);
    void run.pause();
    clock.nowMs += 50;
    line.pop()?.();
  }
  clock.nowMs += 1;
  assert.equal(told(), verdict.stop);
  assert.equal(run.stopped, "cpu");
  assert.equal(run.check(), verdict.stop);
});

test("between host calls that take long the clock is read, whatever the guest has counted", () => {
  const { run, clock } = begun(10);
  assert.equal(run.turn(), verdict.goOn);
  clock.nowMs = 2;
  assert.equal(run.turn(), verdict.pause);
  clock.nowMs = 20;
  assert.equal(run.turn(), verdict.stop);
  assert.equal(run.stopped, "cpu");
  assert.equal(run.turn(), verdict.stop);
  const asked = begun(10);
  asked.claims[1] = claim.stopping;
  assert.equal(asked.run.turn(), verdict.stop);
  assert.equal(asked.run.stopped, "asked");
});

test("a word from outside stops it at the next check", () => {
  const { run, claims } = begun(1_000);
  assert.equal(run.check(), verdict.goOn);
  claims[1] = claim.stopping;
  assert.equal(run.check(), verdict.stop);
  assert.equal(run.stopped, "asked");
});

test("a guest that has given way is told to stop when its turn comes", async () => {
  const { run, claims, line } = begun(1_000);
  const answer = run.pause();
  claims[1] = claim.stopping;
  run.stop();
  line[0]?.();
  assert.equal(await answer, verdict.stop);
});

test("a word about a call that had the slot before is none", () => {
  const { run, told } = begun(1_000);
  run.stop();
  assert.equal(run.stopped, null);
  assert.equal(told(), verdict.goOn);
});

test("a wait leaves the thread, costs no CPU time, and ends in the call's turn", async () => {
  const { run, line, clock, waits, told } = begun(5);
  let resolve = (_value: string): void => {};
  let value: string | null = null;
  void run.wait(new Promise<string>((done) => (resolve = done)), assert.fail).then((got) => (value = got));
  assert.deepEqual([waits, clock.left], [[true], 1]);
  clock.nowMs = 100;
  resolve("slept");
  await soon();
  assert.deepEqual([value, waits, line.length], [null, [true, false], 1]);
  line[0]?.();
  await soon();
  assert.deepEqual([value, run.waitMs, run.runMs], ["slept", 100, 0]);
  assert.equal(told(), verdict.goOn);
});

test("a stop ends a wait at once, abandons what it waited for, and refuses the next one", async () => {
  const { run, claims, line, waits } = begun(1_000);
  let abandoned = 0;
  const waiting = run.wait(new Promise(() => {}), () => (abandoned += 1));
  claims[1] = claim.stopping;
  run.stop();
  run.stop();
  assert.deepEqual([abandoned, line.length, waits], [1, 1, [true, false]]);
  line[0]?.();
  await assert.rejects(waiting, GuestFault);
  await assert.rejects(
    run.wait(new Promise(() => {}), () => (abandoned += 1)),
    GuestFault,
  );
  assert.deepEqual([abandoned, line.length], [2, 1]);
});

test("a failure of what it waited for is the guest's, in its turn", async () => {
  const { run, line } = begun(1_000);
  const waiting = run.wait(Promise.reject(new Error("no answer")), assert.fail);
  await soon();
  line[0]?.();
  await assert.rejects(waiting, /no answer/);
});

test("a memory is counted while its call lives, and asks before it grows", async () => {
  const { run, heldPages, told } = begun(1_000);
  const memory = new WebAssembly.Memory({ initial: 3, maximum: 100 });
  assert.equal(run.held.begin(memory, 100), true);
  assert.equal(run.grow(7), true);
  memory.grow(7);
  assert.equal(heldPages[0], 10);
  assert.equal(run.grow(1), false);
  assert.equal(run.grow(0), true);
  assert.equal(heldPages[0], 10);
  assert.equal(told(), verdict.goOn, "a guest that is refused goes on");
  assert.equal(run.stopped, null);
  run.held.end();
  assert.equal(heldPages[0], 0);
  assert.equal(begun(1).run.held.begin(new WebAssembly.Memory({ initial: 11 }), 11), false);
});

test("what its own maximum is going to refuse takes no room", () => {
  const { run, heldPages } = begun(1_000);
  run.held.begin(new WebAssembly.Memory({ initial: 3, maximum: 8 }), 8);
  for (const pages of [6, 65_536, 2 ** 32 - 1]) assert.equal(run.grow(pages), true);
  assert.equal(heldPages[0], 3);
  run.held.end();
  assert.equal(heldPages[0], 0);
});

test("a guest that asks nobody, grows and waits is counted before it waits", async () => {
  const { run } = begun(1_000);
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 100 });
  run.held.begin(memory, 100);
  memory.grow(50);
  await assert.rejects(
    run.wait(new Promise(() => {}), () => {}),
    GuestFault,
  );
  assert.equal(run.stopped, "memory");
});

test("a result that is kept for the guest is counted in place of the last one, and ends with the call", () => {
  const { run, heldPages } = begun(1_000);
  run.held.begin(new WebAssembly.Memory({ initial: 3, maximum: 8 }), 8);
  assert.equal(run.keepResult(4 * 65_536 + 1), true);
  assert.equal(heldPages[0], 8);
  assert.equal(run.keepResult(8 * 65_536), false);
  assert.equal(heldPages[0], 8, "the last one is there still");
  assert.equal(run.keepResult(1), true);
  assert.equal(heldPages[0], 4);
  run.held.end();
  assert.equal(heldPages[0], 0);
});

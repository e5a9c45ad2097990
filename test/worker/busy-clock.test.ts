// The CPU share of what the wall clock measured, also with a CPU clock that moves in steps.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { BusyClock } from "../../host/worker/busy-clock.ts";

/** Counts so many slices of a millisecond while the machine gives the thread `share` of the time. */
function counted(slices: number, share: number, stepMs: number): number {
  let cpuMs = 0;
  const clock = new BusyClock(() => Math.floor(cpuMs / stepMs) * stepMs);
  let sum = 0;
  for (let slice = 0; slice < slices; slice += 1) {
    cpuMs += share;
    sum += clock.cpuMs(1);
    clock.ran(1);
  }
  return sum;
}

test("on a machine that does nothing else all of it is CPU time", () => {
  assert.equal(counted(1_000, 1, 0.001), 1_000);
});

test("a thread that gets half of the time has used half as much", () => {
  // The first stretch is counted whole: nothing is known yet.
  assert.ok(Math.abs(counted(1_000, 0.5, 0.001) - 500) <= 26, String(counted(1_000, 0.5, 0.001)));
});

for (const share of [1, 0.75, 0.25]) {
  test(`a clock that moves in steps of 4 ms is right to a few percent: ${share}`, () => {
    const sum = counted(1_000, share, 4);
    assert.ok(Math.abs(sum - 1_000 * share) <= 60, String(sum));
  });
}

test("more CPU time than time, as of a thread that did other things between, counts as all of it", () => {
  assert.equal(counted(200, 3, 0.001), 200);
});

// The CPU time of a guest that asks nobody, read from outside, and when its limit is met.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as passed } from "node:timers/promises";
import { watchCpu } from "../../host/invoke/cpu-watch.ts";

test("what is spent is counted from the first look on, whatever the thread had used before", async () => {
  const readings = [500, 505, 509, 510];
  const spent = await new Promise<number>((resolve) => {
    watchCpu(
      10,
      async () => readings.shift() ?? assert.fail("looked again"),
      () => resolve(readings.length),
    );
  });
  assert.equal(spent, 0);
});

test("a watch that is disposed says nothing, also when a look is under way", async () => {
  const { promise: looked, resolve: look } = Promise.withResolvers<number>();
  const watch = watchCpu(
    0,
    () => looked,
    () => assert.fail("it is over"),
  );
  watch[Symbol.dispose]();
  look(1_000);
  await passed(20);
});

test("a thread that has ended is looked at no more", async () => {
  let looks = 0;
  watchCpu(
    0,
    async () => {
      looks += 1;
      throw new Error("The thread has ended");
    },
    () => assert.fail("nothing is known of it"),
  );
  await passed(20);
  assert.equal(looks, 1);
});

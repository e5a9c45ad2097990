import { strict as assert } from "node:assert";
import { test } from "node:test";
import { Fifo } from "../host/fifo.ts";
import { seeded } from "./support/seeded-random.ts";

test("a queue gives what it was given, in turn, however it grows and wraps", () => {
  const random = seeded(7);
  const queue = new Fifo<number>();
  const expected: number[] = [];
  for (let step = 0; step < 20_000; step += 1) {
    // In waves, so that it fills beyond its cells and empties again.
    if (random() % 100 < (step % 2_000 < 1_000 ? 60 : 40)) {
      queue.push(step);
      expected.push(step);
    } else assert.equal(queue.shift(), expected.shift());
    assert.equal(queue.size, expected.length);
  }
  for (const item of expected) assert.equal(queue.shift(), item);
  assert.equal(queue.shift(), undefined);
});

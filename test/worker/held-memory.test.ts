import assert from "node:assert/strict";
import { test } from "node:test";
import { HeldMemory, MemoryBudget } from "../../host/worker/memory-budget.ts";

test("what a call holds is measured over time, as it grows and shrinks, with what is kept for it", () => {
  let nowMs = 100;
  const budget = new MemoryBudget(new Int32Array(1), new Int32Array(1), 1_000);
  const held = new HeldMemory(budget, () => nowMs);
  assert.ok(held.begin(new WebAssembly.Memory({ initial: 2, maximum: 10 }), 10));
  nowMs += 10;
  // 2 pages for 10 ms.
  assert.ok(held.grow(3));
  nowMs += 4;
  // 5 pages for 4 ms.
  assert.ok(held.keepResult(65_537));
  nowMs += 3;
  // 7 pages for 3 ms.
  assert.ok(held.keepResult(0));
  nowMs += 2;
  // 5 pages for 2 ms.
  held.end();
  nowMs += 1_000;
  assert.equal(held.pageMs, 20 + 20 + 21 + 10);
});

test("a call whose memory found no room has held none", () => {
  let nowMs = 0;
  const held = new HeldMemory(new MemoryBudget(new Int32Array(1), new Int32Array(1), 1), () => nowMs);
  assert.equal(held.begin(new WebAssembly.Memory({ initial: 2 }), 10), false);
  nowMs += 50;
  held.end();
  assert.equal(held.pageMs, 0);
});

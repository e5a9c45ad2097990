// Memories that are kept for later calls: always of the bounds asked for, always zero.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { MemoryPool } from "../../host/worker/memory-pool.ts";

const bounds = { initialPages: 2, maximumPages: 5 };

test("a memory that comes back is given out again, zeroed whole", () => {
  const pool = new MemoryPool();
  const memory = pool.take(bounds);
  new Uint8Array(memory.buffer).fill(0xaa);
  pool.give(bounds, memory);
  const again = pool.take(bounds);
  assert.equal(again, memory);
  assert.ok(new Uint8Array(again.buffer).every((byte) => byte === 0));
  assert.notEqual(pool.take(bounds), again, "it is given to one call at a time");
});

test("a memory is never given out for other bounds", () => {
  const pool = new MemoryPool();
  const memory = pool.take(bounds);
  pool.give(bounds, memory);
  for (const other of [
    { initialPages: 2, maximumPages: 6 },
    { initialPages: 1, maximumPages: 5 },
  ]) {
    const taken = pool.take(other);
    assert.notEqual(taken, memory);
    assert.equal(taken.buffer.byteLength, other.initialPages * 65_536);
  }
});

test("a memory that grew or is large is not kept", () => {
  const pool = new MemoryPool();
  const grown = pool.take(bounds);
  grown.grow(1);
  pool.give(bounds, grown);
  assert.notEqual(pool.take(bounds), grown);
  const large = { initialPages: 33, maximumPages: 33 };
  const memory = pool.take(large);
  pool.give(large, memory);
  assert.notEqual(pool.take(large), memory);
});

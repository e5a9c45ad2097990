// How the bytes of a stream are gathered: sizes, memory of their own, and buffers that come back.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { ChunkBuffer, chunkBytes, movedWith } from "../host/chunk-buffer.ts";

test("it takes in what there is room for, and no more", () => {
  const buffer = new ChunkBuffer();
  assert.equal(buffer.add(new Uint8Array(chunkBytes - 1)), chunkBytes - 1);
  assert.equal(buffer.isFull, false);
  assert.equal(buffer.add(Uint8Array.of(1, 2, 3)), 1);
  assert.equal(buffer.isFull, true);
  assert.equal(buffer.add(Uint8Array.of(4)), 0);
  assert.equal(buffer.take().at(-1), 1);
  assert.equal(buffer.length, 0);
});

test("small pieces come out in the order they went in, in memory of their own size", () => {
  const buffer = new ChunkBuffer();
  for (let byte = 0; byte < 3_000; byte += 1) assert.equal(buffer.add(Uint8Array.of(byte & 255)), 1);
  const taken = buffer.take();
  assert.deepEqual([taken.byteLength, taken.buffer.byteLength], [3_000, 3_000]);
  assert.ok(taken.every((byte, at) => byte === (at & 255)));
  assert.deepEqual(movedWith(taken), [], "copied when it is posted");
});

test("a large piece is moved with its buffer, which is filled again when it comes back", () => {
  const buffer = new ChunkBuffer();
  buffer.add(new Uint8Array(20_000).fill(1));
  const first = buffer.take();
  assert.deepEqual(movedWith(first), [first.buffer]);
  buffer.giveBack(first.buffer, false);
  buffer.add(new Uint8Array(17_000).fill(2));
  const second = buffer.take();
  assert.equal(second.buffer, first.buffer);
  assert.equal(second.byteLength, 17_000);
  assert.ok(second.every((byte) => byte === 2));
});

test("a stream at rest keeps one buffer, and frees the others", () => {
  const buffer = new ChunkBuffer();
  const buffers = [1, 2, 3].map(() => new ArrayBuffer(chunkBytes));
  buffers.forEach((each, index) => {
    buffer.giveBack(each, index === 2);
  });
  assert.deepEqual(
    buffers.map(({ detached }) => detached),
    [false, true, true],
  );
});

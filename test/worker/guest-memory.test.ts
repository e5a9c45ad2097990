// Every look into a guest's memory: ranges, copies and texts at the edges.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { limits } from "../../host/limits.ts";
import { GuestFault, GuestMemory } from "../../host/worker/guest-memory.ts";

const page = 65_536;
const fault = (error: unknown) => error instanceof GuestFault && error.code === "bad_guest_output";
const edges = [0, 1, 4, page - 1, page, page + 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];

test("view gives a range inside the memory and refuses every other, numbers read as unsigned", () => {
  const memory = new GuestMemory(new WebAssembly.Memory({ initial: 1 }));
  for (const pointer of edges) {
    for (const length of edges) {
      // A guest's numbers arrive signed.
      const look = () => memory.view(pointer | 0, length | 0);
      if (pointer + length <= page) {
        const view = look();
        assert.deepEqual([view.byteOffset, view.byteLength], [pointer, length]);
      } else assert.throws(look, fault, `${pointer}, ${length}`);
    }
  }
});

test("view sees a memory that has grown since the last look", () => {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const guest = new GuestMemory(memory);
  assert.throws(() => guest.view(page, 1), fault);
  memory.grow(1);
  assert.equal(guest.view(page, page).byteLength, page);
});

test("copy refuses a length over its bound before it looks, and shares nothing with the guest", () => {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const guest = new GuestMemory(memory);
  assert.throws(() => guest.copy(0, -1, 10, "it"), /it has 4294967295 bytes, limit is 10/);
  const copied = guest.copy(0, 4, 10, "it");
  new Uint8Array(memory.buffer).fill(7);
  assert.deepEqual([...copied], [0, 0, 0, 0]);
});

test("texts are cut at their bound but checked whole", () => {
  const pages = Math.ceil(limits.hostCallBytesMax / page) + 2;
  const memory = new WebAssembly.Memory({ initial: pages });
  const guest = new GuestMemory(memory);
  new Uint8Array(memory.buffer).fill(0x61);
  assert.equal(guest.text(0, limits.hostCallBytesMax + 5).length, limits.hostCallBytesMax);
  assert.throws(() => guest.text(1, pages * page), fault);
  const view = new DataView(memory.buffer);
  view.setUint32(4, limits.hostCallBytesMax + 6, true);
  assert.equal(guest.assemblyScriptString(8).length, limits.hostCallBytesMax / 2);
  view.setUint32(4, pages * page - 7, true);
  assert.throws(() => guest.assemblyScriptString(8), fault);
});

test("assemblyScriptString takes null, an odd length and lone surrogates", () => {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const guest = new GuestMemory(memory);
  assert.equal(guest.assemblyScriptString(0), "");
  for (const pointer of [1, 2, 3, -1, page + 1, page + 3]) {
    assert.throws(() => guest.assemblyScriptString(pointer), fault, String(pointer));
  }
  const view = new DataView(memory.buffer);
  view.setUint32(96, 5, true);
  for (const [at, unit] of [0x41, 0xd800, 0x42].entries()) view.setUint16(100 + at * 2, unit, true);
  assert.equal(guest.assemblyScriptString(100), "A\ud800");
});

test("what is written lands where the pointer says, in a memory that has grown too, or not at all", () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 2 });
  const guest = new GuestMemory(memory);
  const bytes = Uint8Array.of(1, 2, 3);
  guest.write(8, bytes);
  assert.throws(() => guest.write(page - 2, bytes), fault);
  memory.grow(1);
  guest.write(page - 2, bytes);
  const now = new Uint8Array(memory.buffer);
  assert.deepEqual([...now.subarray(8, 12)], [1, 2, 3, 0]);
  assert.deepEqual([...now.subarray(page - 2, page + 2)], [1, 2, 3, 0]);
  assert.throws(() => guest.write(-1, bytes), fault);
});

test("a shared memory is seen as large as it is", () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 2, shared: true });
  const guest = new GuestMemory(memory);
  assert.equal(guest.bytes.byteLength, page);
  memory.grow(1);
  assert.equal(guest.bytes.byteLength, 2 * page);
});

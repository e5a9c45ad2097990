// Holds the copies that bench measures to their promise: other bytes, after rewriting too, and the same
// behaviour; and the endless form to being a module whose calls do not return.

import assert from "node:assert/strict";
import { test } from "node:test";
import { distinctCopy, endlessCopy } from "../../host/wasm/copies.ts";
import { inspectModule } from "../../host/wasm/inspect.ts";
import { prepareModule } from "../../host/wasm/prepare.ts";
import { readSections, sectionId } from "../../host/wasm/sections.ts";
import { answering, assemble, mirror } from "../support/guests.ts";

const modules: Readonly<Record<string, Uint8Array>> = {
  "a guest with data": answering("hello"),
  "a guest that reads": mirror(),
  "no data, no globals, no memory": assemble(`(module (func (export "seven") (result i32) (i32.const 7)))`),
  "globals of its own": assemble(`(module
    (global $count (mut i32) (i32.const 1))
    (global (export "fixed") i32 (i32.const 5))
    (start $go) (func $go (global.set $count (i32.const 7)))
    (func (export "seven") (result i32) (global.get $count)))`),
  empty: assemble("(module)"),
};

for (const [what, wasm] of Object.entries(modules)) {
  test(`copies of ${what} are valid, of one length, and all different, before and after rewriting`, () => {
    const numbers = [0, 1, 63, 64, 127, 128, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];
    const copies = numbers.map((number) => distinctCopy(wasm, number));
    assert.equal(new Set(copies.map(({ length }) => length)).size, 1);
    assert.ok(copies.every((copy) => WebAssembly.validate(copy)));
    for (const meter of [true, false]) {
      const prepared = copies.map((copy) => withoutCustom(prepare(copy, meter)));
      assert.equal(new Set(prepared).size, numbers.length);
    }
  });
}

test("a copy does what the original does, and can be reset as it can", () => {
  for (const [what, wasm] of Object.entries(modules)) {
    const copy = distinctCopy(wasm, 12_345);
    const [one, other] = [wasm, copy].map((bytes) => inspectModule(bytes, { metered: true }));
    assert.deepEqual(other?.exports, one?.exports, what);
    assert.deepEqual(other?.resettableGlobals, one?.resettableGlobals, what);
    assert.equal(other?.startFunction, one?.startFunction, what);
  }
  const { exports } = new WebAssembly.Instance(
    new WebAssembly.Module(distinctCopy(modules["globals of its own"] ?? assert.fail(), 3)),
  );
  assert.equal((exports["seven"] as () => number)(), 7);
});

test("an endless copy calls what it did before and does not return", () => {
  // The guest sets its memory, then the copy loops: a trap in the guest is what ends this one.
  const wasm = assemble(`(module
    (import "host" "seen" (func $seen (param i32)))
    (func $other (param i32))
    (func (export "handle") (param i32) (result i32 i64)
      (call $seen (local.get 0)) (i32.const 1) (i64.const 2)))`);
  const endless = endlessCopy(wasm, "handle") ?? assert.fail("it has a function of that name");
  assert.ok(WebAssembly.validate(endless));
  assert.ok(WebAssembly.validate(prepare(endless, true)));
  const seen: number[] = [];
  const stop = new Error("stop");
  const instance = new WebAssembly.Instance(new WebAssembly.Module(endless), {
    host: {
      seen: (value: number) => {
        seen.push(value);
        throw stop;
      },
    },
  });
  assert.throws(() => (instance.exports["handle"] as (value: number) => void)(9), stop);
  assert.deepEqual(seen, [9]);
  const { exports } = inspectModule(endless);
  assert.deepEqual(
    exports.map(({ name }) => name),
    ["handle"],
  );
});

test("there is no endless copy of what is not there, or is not the module's own", () => {
  assert.equal(endlessCopy(answering("hello"), "absent"), null);
  assert.equal(endlessCopy(answering("hello"), "memory"), null);
  const passedOn = assemble(`(module (import "a" "b" (func $b)) (export "handle" (func $b)))`);
  assert.equal(endlessCopy(passedOn, "handle"), null);
});

function prepare(bytes: Uint8Array, meter: boolean): Uint8Array<ArrayBuffer> {
  return prepareModule(bytes, inspectModule(bytes, { metered: meter }), { meter });
}

/** What V8 compares of two modules: everything but the custom sections. */
function withoutCustom(bytes: Uint8Array): string {
  const sections = readSections(bytes).filter(({ id }) => id !== sectionId.custom);
  return Buffer.concat(sections.map(({ start, end }) => bytes.subarray(start, end))).toString("hex");
}

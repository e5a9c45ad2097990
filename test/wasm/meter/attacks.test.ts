// Guests made to run long between two checks, or to behave otherwise once metered. How many instructions
// they run follows from their turns; the checks are those of the form that runs, with nothing added for
// counting: a counter in the guest would make its shortest pieces longer than those it is to catch.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import binaryen from "binaryen";
import { Callees } from "../../../host/wasm/meter/callees.ts";
import { assemble } from "../corpus.ts";
import { leb, module, name, section, sized, vector } from "../module-bytes.ts";
import { observeMetered, observePlain } from "./observe.ts";
import { start } from "./start.ts";

/** Instructions between two checks at most, besides what loops and frames may add (decision 0010). */
const boundInstructions = 100_000;

function byBinaryen(text: string): Uint8Array {
  const parsed = binaryen.parseText(`(module ${text})`);
  parsed.setFeatures(binaryen.Features.All & ~binaryen.Features.GC);
  const bytes = Uint8Array.from(parsed.emitBinary());
  parsed.dispose();
  return bytes;
}

const times = (count: number, text: (at: number) => string): string =>
  Array.from({ length: count }, (_, at) => text(at)).join("\n");

/** Runs a guest that runs at least `instructions`; each check is one that they are due. */
function assertChecked(bytes: Uint8Array, instructions: number, ...args: number[]): void {
  let checks = 0;
  const exports = start(bytes, () => {
    checks += 1;
    return 0;
  });
  exports["run"]?.(...args);
  assert.ok(instructions / (checks + 1) <= boundInstructions, `${instructions} in ${checks} checks`);
}

const turns = (count: number, body: string): string =>
  `(local.set $i (i32.const ${count}))
   (loop $l ${body} (br_if $l (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))`;

describe("Between two checks", () => {
  it("few exceptions arrive at handlers that cost next to nothing: try_table", () => {
    const handlers = times(1_000, (at) => `(block $b${at} (try_table (catch_all $b${at}) (throw $e)))`);
    const text = `(tag $e) (func $f ${handlers})
      (func (export "run") (local $i i32) ${turns(200, "(call $f)")})`;
    assertChecked(byBinaryen(text), 1_000 * 200 * 3);
  });

  it("few exceptions arrive at handlers that cost next to nothing: try", () => {
    const handlers = times(1_000, () => "(try (do (throw $e)) (catch_all))");
    const text = `(module (tag $e) (func $f ${handlers})
      (func (export "run") (local $i i32) ${turns(200, "(call $f)")}))`;
    assertChecked(assemble(text), 1_000 * 200 * 3);
  });

  it("few exceptions pass handlers that are for others", () => {
    const levels = 40;
    const handlers = `${"try ".repeat(levels)} throw $e ${"catch $other end ".repeat(levels)}`;
    const text = `(module (tag $e) (tag $other) (func $f try ${handlers} catch_all end)
      (func (export "run") (local $i i32) ${turns(200, "(call $f)")}))`;
    // Each is thrown on at every level, which takes as long as throwing it did.
    assertChecked(assemble(text), levels * 200 * 50);
  });

  for (const [how, end] of [
    ["through its end", "(br_if $l (i32.const 0))"],
    ["by a branch", "(br_if $out (i32.const 1)) (br $l)"],
    ["by a return", "(return)"],
  ] as const) {
    it(`a recursion that works on its way back asks, when its loop is left ${how}`, () => {
      const work = times(28, () => "(global.set $n (i32.add (global.get $n) (i32.const 1)))");
      const text = `(module (global $n (mut i32) (i32.const 0))
        (func $f (param $d i32) (if (i32.eqz (local.get $d)) (then (return)))
          (block $out (loop $l (call $f (i32.sub (local.get $d) (i32.const 1))) ${work} ${end})))
        (func (export "run") (call $f (i32.const 5000))))`;
      assertChecked(assemble(text), 5_000 * 112);
    });
  }

  it("a function that is called under another spelling of its type is counted", () => {
    // (ref null func) is 0x63 0x70 in the callees' type, and funcref, 0x70, where they are called.
    const types = section(
      1,
      vector([
        [0x60, 0, 0],
        [0x60, 1, 0x63, 0x70, 0],
        [0x60, 1, 0x70, 0],
      ]),
    );
    const body = (...instructions: Parameters<typeof sized>[0]) => sized([1, 1, 0x7f, ...instructions, 0x0b]);
    const signed = (value: number): Parameters<typeof sized>[0] =>
      value < 64 ? [0x41, value] : [0x41, (value & 0x7f) | 0x80, leb(value >>> 7)];
    const counted = (local: number, count: number, inner: number[]) => [
      ...signed(count),
      ...[0x21, local, 0x03, 0x40, ...inner, 0x20, local, 0x41, 1, 0x6b, 0x22, local, 0x0d, 0, 0x0b],
    ];
    const tried = (slot: number): number[] => [0x06, 0x40, 0xd0, 0x70, 0x41, slot, 0x11, 2, 0, 0x19, 0x0b];
    const thrown = [0x08, 0];
    const bytes = module(
      types,
      section(3, [3, 1, 1, 0]),
      section(4, [1, 0x70, 0, 2]),
      section(13, [1, 0, 0]),
      section(7, [1, name("run"), 0, 2]),
      section(9, [1, 0, 0x41, 0, 0x0b, 2, 0, 1]),
      section(
        10,
        vector([
          body(...counted(1, 8_000, []), ...thrown),
          body(...counted(1, 1_000, tried(0)), ...thrown),
          body(...counted(0, 3, tried(1))),
        ]),
      ),
    );
    assert.ok(WebAssembly.validate(Uint8Array.from(bytes)));
    assertChecked(bytes, 3 * 1_000 * 8_000 * 6);
  });
});

const same: readonly (readonly [what: string, bytes: Uint8Array])[] = [
  [
    "a tail call inside a try block is none of its business",
    assemble(`(module (tag $e) (func $v (result i32) (throw $e))
      (func $x (result i32) (try (result i32) (do (return_call $v)) (catch_all (i32.const 7))))
      (func $more (param i32) (result i32) (loop (result i32) (call $x)))
      (func (export "run") (result i32) (call $x)))`),
  ],
  [
    "a tail call inside a try_table",
    byBinaryen(`(tag $e) (func $v (result i32) (throw $e))
      (func $x (result i32) (block $b (try_table (catch_all $b) (return_call $v))) (i32.const 7))
      (func (export "run") (result i32) (call $x))`),
  ],
  [
    "a tail call of an import inside a try block",
    assemble(`(module (import "env" "throw" (func $v (result i32)))
      (func $x (result i32) (try (result i32) (do (return_call $v)) (catch_all (i32.const 7))))
      (func (export "run") (result i32) (call $x)))`),
  ],
  ...[0, 1, 2].map((blocks): [string, Uint8Array] => [
    `a rethrow out of a repeated loop in ${blocks} blocks`,
    assemble(`(module (tag $e) (tag $u) (func (export "run") (result i32) (local $i i32)
      (try (result i32) (do
        (try $outer (do (throw $e)) (catch_all
          (try (do (throw $u)) (catch_all (try (do (throw $u)) (catch_all ${"(block ".repeat(blocks)}
            (loop $l
              (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 5)))
              (rethrow $outer)) ${")".repeat(blocks)}))))))
        (i32.const 0))
      (catch $e (i32.const 1)) (catch $u (i32.const 2)))))`),
  ]),
];

describe("A metered module shows what the plain one shows", () => {
  for (const [what, bytes] of same) {
    it(what, () => {
      assert.ok(WebAssembly.validate(Uint8Array.from(bytes)));
      assert.deepEqual(observeMetered(bytes).seen, observePlain(bytes).seen);
    });
  }
});

describe("Callees", () => {
  it("spells out a signature once, however often it is called", () => {
    let spelled = 0;
    const module = {
      functionTypes: [],
      importedFunctions: 0,
      sharesReferences: false,
      exportedFunctions: [],
      signature: () => {
        spelled += 1;
        return { params: new Uint8Array(1_000).fill(0x7f), results: new Uint8Array(0) };
      },
    };
    const callees = new Callees(module as never, { costs: [], isReferenced: [] } as never);
    for (let call = 0; call < 1_000; call += 1) {
      assert.equal(callees.isIndirectChecked(3), false);
      assert.equal(callees.indirectCost(3), 0);
    }
    assert.equal(spelled, 1);
  });
});

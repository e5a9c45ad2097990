import assert from "node:assert/strict";
import { describe, it } from "node:test";
import binaryen from "binaryen";
import { assemble } from "../corpus.ts";
import { body, functionType, i32, module, section, sized, types, vector } from "../module-bytes.ts";
import { start, stopAt } from "./start.ts";

/** For typed function references, which wabt does not read. */
function assembleByBinaryen(text: string): Uint8Array {
  const parsed = binaryen.parseText(`(module ${text})`);
  try {
    parsed.setFeatures(binaryen.Features.All & ~binaryen.Features.GC);
    return Uint8Array.from(parsed.emitBinary());
  } finally {
    parsed.dispose();
  }
}

/** Each calls `check` again and again, and would run for ever. */
const endless: readonly (readonly [label: string, text: string])[] = [
  ["an empty loop", `(func (export "run") (loop $l (br $l)))`],
  ["a loop by br_if", `(func (export "run") (loop $l (br_if $l (i32.const 1))))`],
  ["a loop by br_table", `(func (export "run") (loop $l (block $b (br_table $l $b $l (i32.const 0)))))`],
  [
    "a loop by br_on_null",
    `(func (export "run") (local funcref) (loop $l (br_on_null $l (local.get 0)) (drop)))`,
  ],
  [
    "a loop by br_on_non_null",
    `(type $t (func)) (elem declare func $f) (func $f)
     (func (export "run") (loop $l (drop (block $b (result (ref $t)) (br_on_non_null $b (ref.func $f)) (br $l))) (br $l)))`,
  ],
  [
    "a loop with a parameter",
    `(func (export "run") (i32.const 1) (loop $l (param i32) (drop) (i32.const 2) (br $l)))`,
  ],
  [
    "a loop in an arm",
    `(func (export "run") (if (i32.const 1) (then (loop $l (br $l))) (else (loop $m (br $m)))))`,
  ],
  ["a loop left by no way", `(func (export "run") (result i32 i64) (loop $l (result i32 i64) (br $l)))`],
  ["loops in loops", `(func (export "run") (loop $o (loop $l (br_if $l (i32.const 0)) (br $o))))`],
  [
    "a loop around an unchecked call",
    `(func $f (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
     (func (export "run") (local i32) (loop $l (local.set 0 (call $f (local.get 0))) (br $l)))`,
  ],
  [
    "a loop around an indirect call",
    `(table 1 funcref) (elem (i32.const 0) $f) (func $f)
     (func (export "run") (loop $l (call_indirect (i32.const 0)) (br $l)))`,
  ],
  [
    "a loop around a call by reference",
    `(type $t (func)) (elem declare func $f) (func $f)
     (func (export "run") (loop $l (call_ref $t (ref.func $f)) (br $l)))`,
  ],
  [
    "functions that call one another and return",
    `(global $n (mut i32) (i32.const 0))
     (func $a (param i32) (if (local.get 0) (then (call $b (i32.sub (local.get 0) (i32.const 1))) (call $b (i32.sub (local.get 0) (i32.const 1))))))
     (func $b (param i32) (if (local.get 0) (then (call $a (i32.sub (local.get 0) (i32.const 1))) (call $a (i32.sub (local.get 0) (i32.const 1))))))
     (func (export "run") (call $a (i32.const 60)))`,
  ],
  [
    "recursion through a table",
    `(table 1 funcref) (elem (i32.const 0) $a) (type $t (func (param i32)))
     (func $a (param i32) (if (local.get 0) (then
       (call_indirect (type $t) (i32.sub (local.get 0) (i32.const 1)) (i32.const 0))
       (call_indirect (type $t) (i32.sub (local.get 0) (i32.const 1)) (i32.const 0)))))
     (func (export "run") (call $a (i32.const 60)))`,
  ],
  [
    "40 functions that each call the next twice",
    `(func $f0 nop nop nop)
     ${Array.from({ length: 39 }, (_, n) => `(func $f${n + 1} (call $f${n}) (call $f${n}))`).join("")}
     (func (export "run") (call $f39))`,
  ],
  ["a tail call to itself", `(func $r (export "run") (return_call $r))`],
  [
    "tail calls in a ring",
    `(func $a (export "run") (return_call $b)) (func $b (return_call $c)) (func $c (return_call $a))`,
  ],
  [
    "tail calls through a table",
    `(table 2 funcref) (elem (i32.const 0) $a $b) (type $t (func (param i32) (result i64)))
     (func $a (param i32) (result i64) (return_call_indirect (type $t) (i32.const 1) (i32.const 1)))
     (func $b (param i32) (result i64) (return_call_indirect (type $t) (i32.const 0) (i32.const 0)))
     (func (export "run") (result i64) (return_call $a (i32.const 3)))`,
  ],
  [
    "a tail call by reference",
    `(type $t (func)) (elem declare func $a)
     (func $a (export "run") (return_call_ref $t (ref.func $a)))`,
  ],
  [
    "tail calls from a passed function to a stored one and back",
    `(type $t (func (param i32))) (table 1 funcref) (elem (i32.const 0) $a)
     (func $a (param i32) (return_call $b (local.get 0)))
     (func $b (param i32) (return_call_indirect (type $t) (local.get 0) (i32.const 0)))
     (func $c (param i32) (return_call $a (local.get 0)))
     (func (export "run") (call $c (i32.const 1)) (call $a (i32.const 1)))`,
  ],
  [
    "memory.fill of nothing",
    `(memory 1) (func (export "run") (loop $l (memory.fill (i32.const 0) (i32.const 1) (i32.const 0)) (br $l)))`,
  ],
  [
    "exceptions thrown and caught",
    `(tag $e) (func $f (throw $e)) (func (export "run") (loop $l (try (do (call $f)) (catch $e)) (br $l)))`,
  ],
  [
    "a catch that throws on",
    `(tag $e) (func (export "run")
       (loop $l (try (do (try $t (do (throw $e)) (catch_all (rethrow $t)))) (catch_all)) (br $l)))`,
  ],
  [
    "a delegated exception",
    `(tag $e) (func $f (throw $e))
     (func (export "run") (loop $l (try $t (do (try (do (call $f)) (delegate $t))) (catch_all)) (br $l)))`,
  ],
  ["memory.grow", `(memory 1) (func (export "run") (loop $l (drop (memory.grow (i32.const 0))) (br $l)))`],
  [
    "table.grow of nothing",
    `(table 1 2 funcref) (func (export "run") (loop $l (drop (table.grow 0 (ref.null func) (i32.const 0))) (br $l)))`,
  ],
];

describe("A metered guest that runs for ever", () => {
  for (const [label, text] of endless) {
    it(`is stopped by a trap: ${label}`, () => {
      const bytes =
        text.includes("_ref ") || text.includes("br_on")
          ? assembleByBinaryen(text)
          : assemble(`(module ${text})`);
      assert(WebAssembly.validate(Uint8Array.from(bytes)), "the program is not valid");
      let checks = 0;
      const { run } = start(bytes, (check) => {
        checks = check;
        return check >= 5 ? 1 : 0;
      });
      assert.throws(
        () => run?.(),
        (error) => error instanceof WebAssembly.RuntimeError && /unreachable/.test(error.message),
      );
      assert.equal(checks, 5);
    });
  }

  it("is stopped inside of a try block that catches all, in both forms", () => {
    const loop = "(loop $l (br $l))";
    const legacy = assemble(`(module (func $f ${loop})
      (func (export "run") (result i32) (try (result i32) (do (call $f) (i32.const 1)) (catch_all (i32.const 2)))))`);
    // block $b  try_table (catch_all $b)  call 0  unreachable  end  unreachable  end  i32.const 2
    const current = module(
      types(functionType(), functionType([], [i32])),
      section(3, [2, 0, 1]),
      section(7, [1, sized([0x72, 0x75, 0x6e]), 0, 1]),
      section(
        10,
        vector([
          body(0x03, 0x40, 0x0c, 0, 0x0b),
          body(0x02, 0x40, 0x1f, 0x40, 1, 2, 0, 0x10, 0, 0x00, 0x0b, 0x00, 0x0b, 0x41, 2),
        ]),
      ),
    );
    for (const bytes of [legacy, current]) {
      assert.throws(() => start(bytes, stopAt(3))["run"]?.(), /unreachable/);
    }
  });

  it("is stopped at the first check when the host says so", () => {
    const bytes = assemble(`(module (func (export "run") (loop $l (br $l))))`);
    assert.throws(() => start(bytes, stopAt(1))["run"]?.(), /unreachable/);
  });

  it("is checked across calls of short exports", () => {
    const bytes = assemble(
      `(module (func (export "run") (param i32) (loop $l (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))`,
    );
    let checks = 0;
    const { run } = start(bytes, (check) => {
      checks = check;
      return 0;
    });
    for (let call = 0; call < 100; call += 1) run?.(1_000);
    assert(checks > 3, `${checks} checks`);
  });
});

describe("Bulk operations", () => {
  const bulk: readonly (readonly [label: string, text: string, setup: string])[] = [
    ["memory.fill", "(memory.fill (i32.const 0) (i32.const 7) (i32.const 65536))", "(memory 1)"],
    ["memory.copy", "(memory.copy (i32.const 0) (i32.const 1) (i32.const 65000))", "(memory 1)"],
    [
      "memory.init",
      "(memory.init 0 (i32.const 0) (i32.const 0) (i32.const 60000))",
      `(memory 1) (data "${"a".repeat(60_000)}")`,
    ],
    ["table.fill", "(table.fill 0 (i32.const 0) (ref.null func) (i32.const 9000))", "(table 9000 funcref)"],
    ["table.copy", "(table.copy (i32.const 0) (i32.const 1) (i32.const 8999))", "(table 9000 funcref)"],
    [
      "table.init",
      "(table.init 0 (i32.const 0) (i32.const 0) (i32.const 8000))",
      `(table 9000 funcref) (elem func ${"$f ".repeat(8_000)}) (func $f)`,
    ],
  ];
  for (const [label, text, setup] of bulk) {
    it(`count by their length: ${label}`, () => {
      const turns = 100;
      const bytes =
        assemble(`(module ${setup} (func (export "run") (local i32) (local.set 0 (i32.const ${turns}))
        (loop $l ${text} (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))`);
      let checks = 0;
      start(bytes, (check) => {
        checks = check;
        return 0;
      })["run"]?.();
      assert(checks >= turns / 20, `${checks} checks`);
    });
  }

  it("of lengths that trap do not turn the countdown around", () => {
    for (const text of [
      "(drop (table.grow 0 (ref.null func) (i32.const -1)))",
      "(drop (table.grow 0 (ref.null func) (i32.const 0x10000001)))",
      "(drop (memory.grow (i32.const -1)))",
    ]) {
      const bytes = assemble(
        `(module (memory 1) (table 1 10 funcref) (func (export "run") ${text} (loop $l (br $l))))`,
      );
      assert.throws(() => start(bytes, stopAt(4))["run"]?.(), /unreachable/, text);
    }
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compileKernel, kernels } from "../../../bench/kernels/kernel-modules.ts";
import { assemble } from "../corpus.ts";
import { watched } from "./counting.ts";

/** "About 100,000": what DESIGN.md promises, which each program here is held to. */
const most = 100_000;

const repeat = (count: number, make: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => make(index)).join("\n");

/** Adds to $n, so that nothing is optimised away and answers can be compared. */
const work = (count: number): string =>
  repeat(count, () => "(global.set $n (i32.add (global.get $n) (i32.const 1)))");

/** A loop of `turns` turns, of local 0. */
const loop = (turns: string): string =>
  `(local.set $i ${turns}) (loop $l ${work(1)}
     (br_if $l (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))`;

/** Programs that run long, with the call that starts them; each breaks a shortcut one could take. */
const programs: readonly (readonly [label: string, text: string])[] = [
  [
    "40 functions that each call the next twice",
    `(func $f0 ${work(1)}) ${repeat(39, (n) => `(func $f${n + 1} (call $f${n}) (call $f${n}))`)}
     (func (export "run") (call $f17))
     (func (export "all") (call $f39))`,
  ],
  [
    "the same with four functions in a chain before the fan",
    `(func $f0 ${work(1)}) ${repeat(19, (n) => `(func $f${n + 1} (call $f${n}) ${work(n)} (call $f${n}) ${work(3)})`)}
     (func (export "run") (call $f17))`,
  ],
  [
    "five chained functions, each with a loop one turn short of the countdown",
    `${repeat(5, (n) => `(func $c${n} (local $i i32) ${loop("(i32.const 5999)")} ${n === 0 ? "" : `(call $c${n - 1})`} ${loop("(i32.const 5999)")})`)}
     (func (export "run") (call $c4) (call $c4))`,
  ],
  [
    "a loop that calls a function whose loop is one turn short",
    `(func $short (param $k i32) (local $i i32) ${loop("(local.get $k)")})
     (func (export "run") (local $j i32) (local.set $j (i32.const 50))
       (loop $o (call $short (i32.const 5999)) (br_if $o (local.tee $j (i32.sub (local.get $j) (i32.const 1))))))`,
  ],
  [
    "the same through a table",
    `(table 2 funcref) (elem (i32.const 0) $short $tiny)
     (type $t (func (param i32)))
     (func $tiny (param i32))
     (func $short (param $k i32) (local $i i32) ${loop("(local.get $k)")})
     (func (export "run") (local $j i32) (local.set $j (i32.const 100))
       (loop $o (call_indirect (type $t) (i32.const 5999) (i32.and (local.get $j) (i32.const 1)))
         (br_if $o (local.tee $j (i32.sub (local.get $j) (i32.const 1))))))`,
  ],
  [
    "unchecked functions through a table, without end",
    `(table 1 funcref) (elem (i32.const 0) $small) (type $t (func))
     (func $small ${work(20)})
     (func (export "run") (local $j i32) (local.set $j (i32.const 20000))
       (loop $o (call_indirect (type $t) (i32.const 0))
         (br_if $o (local.tee $j (i32.sub (local.get $j) (i32.const 1))))))`,
  ],
  [
    "recursion that works only on its way back",
    `(func $deep (param $d i32) (if (local.get $d) (then (call $deep (i32.sub (local.get $d) (i32.const 1))) ${work(30)})))
     (func (export "run") (call $deep (i32.const 4000)) (call $deep (i32.const 4000)))`,
  ],
  [
    "recursion in a loop that is left on the way back",
    `(func $deep (param $d i32) (if (local.get $d) (then
       (block $out (loop $l (call $deep (i32.sub (local.get $d) (i32.const 1)))
         (br_if $out (i32.const 1)) (br $l))) ${work(30)})))
     (func (export "run") (call $deep (i32.const 3000)))`,
  ],
  [
    "a function longer than the countdown",
    `(func $long ${work(25_000)}) (func (export "run") (call $long) (call $long))`,
  ],
  [
    "a loop with a body longer than the countdown",
    `(func (export "run") (local $i i32) (local.set $i (i32.const 5))
       (loop $l ${work(15_000)} (br_if $l (local.tee $i (i32.sub (local.get $i) (i32.const 1))))))`,
  ],
  [
    "a tail call to itself",
    `(func $spin (param $k i32) ${work(1)} (if (local.get $k) (then (return_call $spin (i32.sub (local.get $k) (i32.const 1))))))
     (func (export "run") (call $spin (i32.const 100000)))`,
  ],
  [
    "a ring of three tail calls",
    `(func $a (param $k i32) (result i32) (if (i32.eqz (local.get $k)) (then (return (i32.const 5))))
       (return_call $b (i32.sub (local.get $k) (i32.const 1))))
     (func $b (param $k i32) (result i32) (return_call $c (local.get $k)))
     (func $c (param $k i32) (result i32) (return_call $a (local.get $k)))
     (func (export "run") (result i32) (call $a (i32.const 100000)))`,
  ],
  [
    "a ring of tail calls, one of them through a table",
    `(table 1 funcref) (elem (i32.const 0) $a) (type $t (func (param i32) (result i32)))
     (func $a (param $k i32) (result i32) (if (i32.eqz (local.get $k)) (then (return (i32.const 5))))
       (return_call $b (i32.sub (local.get $k) (i32.const 1))))
     (func $b (param $k i32) (result i32) (return_call_indirect (type $t) (local.get $k) (i32.const 0)))
     (func (export "run") (result i32) (call $a (i32.const 200000)))`,
  ],
  [
    "exceptions thrown out of counting callees, legacy form",
    `(tag $t) (func $thrower (local $i i32) ${loop("(i32.const 5000)")} (throw $t))
     (func (export "run") (local $j i32) (local.set $j (i32.const 60))
       (loop $o (try (do (call $thrower)) (catch_all))
         (br_if $o (local.tee $j (i32.sub (local.get $j) (i32.const 1))))))`,
  ],
  [
    "an if in a loop whose arms differ a hundredfold",
    `(func (export "run") (local $j i32) (local.set $j (i32.const 20000))
       (loop $o (if (i32.and (local.get $j) (i32.const 7)) (then ${work(1)}) (else ${work(300)}))
         (br_if $o (local.tee $j (i32.sub (local.get $j) (i32.const 1))))))`,
  ],
  [
    "loops in loops",
    `(func (export "run") (local $i i32) (local $j i32) (local.set $j (i32.const 300))
       (loop $o ${loop("(i32.const 200)")}
         (br_if $o (local.tee $j (i32.sub (local.get $j) (i32.const 1))))))`,
  ],
];

const moduleOf = (text: string): Uint8Array =>
  assemble(`(module (memory 1) (global $n (export "n") (mut i32) (i32.const 0)) ${text})`);

describe("A metered guest", () => {
  for (const [label, text] of programs) {
    it(`runs ${most} instructions at most between two checks: ${label}`, (test) => {
      const { exports, count, longest, checks } = watched(moduleOf(text));
      exports["run"]?.();
      test.diagnostic(`${count()} instructions, ${checks()} checks, at most ${longest()} between two`);
      assert(count() > 2 * most, `only ${count()} instructions`);
      assert(longest() <= most, `${longest()} instructions`);
      // Counting ahead may not count much more than runs.
      assert(checks() <= 8 * (1 + count() / 90_000), `${checks()} checks of ${count()} instructions`);
    });
  }

  it("is stopped by an answer, whatever it is made of", () => {
    const { exports, count } = watched(moduleOf((programs[0] as readonly [string, string])[1]), {}, 3);
    assert.throws(() => exports["all"]?.(), /unreachable/);
    assert(count() < 4 * most);
  });

  // Compiling a kernel takes longer than counting it; the soak has all of them.
  const soak = process.env["MAYFLY_TEST_SOAK"] === "1";
  const some = new Set(["ackermann", "quicksort", "search", "words", "shapes"]);
  for (const { name } of kernels.filter((kernel) => soak || some.has(kernel.name))) {
    it(`runs ${most} instructions at most between two checks: kernel ${name}`, async () => {
      const { exports, count, longest } = watched(await compileKernel(name));
      const start = exports["mayfly:start"];
      start?.();
      exports["run"]?.(1);
      assert(count() > 10_000, `only ${count()} instructions`);
      assert(longest() <= most, `${longest()} instructions`);
    });
  }
});

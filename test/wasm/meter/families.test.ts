import assert from "node:assert/strict";
import { describe, it } from "node:test";
import binaryen from "binaryen";
import { inspectModule } from "../../../host/wasm/inspect.ts";
import { observeMetered, observePlain } from "./observe.ts";

/** Instructions of each proposal, in a loop and around calls that have checks; answers are compared. */
const families: readonly (readonly [feature: string | null, text: string])[] = [
  [
    null,
    `(memory (export "memory") 1) (data (i32.const 8) "words")
     (func $mix (param i32) (result f64) (f64.convert_i32_s (i32.load8_s (local.get 0))))
     (func (export "run") (result f64) (local $i i32) (local $sum f64)
       (loop $l
         (local.set $sum (f64.add (local.get $sum) (f64.mul (call $mix (local.get $i)) (f64.const 1.5))))
         (i32.store (i32.add (local.get $i) (i32.const 64)) (i32.rotl (local.get $i) (i32.const 5)))
         (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 900))))
       (local.get $sum))
     (func (export "switch") (result i32) (local $i i32) (local $n i32)
       (loop $l
         (block $a (block $b (block $c (br_table $a $b $c (i32.and (local.get $i) (i32.const 3)))))
           (local.set $n (i32.add (local.get $n) (i32.const 7))))
         (local.set $n (i32.mul (local.get $n) (i32.const 3)))
         (if (i32.eq (local.get $i) (i32.const 7)) (then (return (local.get $n)))
           (else (local.set $i (i32.add (local.get $i) (i32.const 1)))))
         (br $l))
       (unreachable))`,
  ],
  [
    "sign-extension",
    `(func (export "run") (result i64) (local $i i32) (local $n i64)
       (loop $l (local.set $n (i64.add (local.get $n) (i64.extend8_s (i64.extend_i32_u (i32.extend16_s (local.get $i))))))
         (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 77))) (i32.const 90000)))) (local.get $n))`,
  ],
  [
    "saturating-conversions",
    `(func (export "run") (result i32) (local $i i32) (local $n i32)
       (loop $l (local.set $n (i32.xor (local.get $n) (i32.trunc_sat_f64_u (f64.mul (f64.const 1e7) (f64.convert_i32_s (local.get $i))))))
         (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 999)))) (local.get $n))`,
  ],
  [
    "multi-value",
    `(func $pair (param i32) (result i32 f64) (if (i32.eqz (local.get 0)) (then (return (i32.const 1) (f64.const 2))))
       (call $pair (i32.sub (local.get 0) (i32.const 1))))
     (func (export "run") (result f64 i32) (local $i i32)
       (i32.const 1) (local.set $i)
       (loop $l (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 40))))
       (tuple.drop 2 (call $pair (local.get $i)))
       (tuple.make 2 (f64.const 4) (local.get $i)))`,
  ],
  [
    "bulk-memory",
    `(memory (export "memory") 1) (data $d "abcdefgh")
     (func (export "run") (local $i i32)
       (loop $l
         (memory.fill (local.get $i) (local.get $i) (i32.const 40))
         (memory.copy (i32.add (local.get $i) (i32.const 9)) (local.get $i) (i32.const 100))
         (memory.init $d (local.get $i) (i32.const 2) (i32.const 5))
         (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 3))) (i32.const 6000))))
       (data.drop $d) (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1)))`,
  ],
  [
    "reference-types",
    `(table $t 4 30 funcref) (elem $e func $one $two) (type $f (func (result i32)))
     (func $one (result i32) (local $i i32) (loop $l (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 3)))) (local.get $i))
     (func $two (result i32) (i32.const 20))
     (func (export "run") (result i32) (local $i i32) (local $n i32)
       (table.init $t $e (i32.const 0) (i32.const 0) (i32.const 2))
       (table.copy $t $t (i32.const 2) (i32.const 0) (i32.const 2))
       (drop (table.grow $t (ref.func $two) (i32.const 3)))
       (table.fill $t (i32.const 4) (table.get $t (i32.const 0)) (i32.const 1))
       (loop $l
         (local.set $n (i32.add (local.get $n) (call_indirect $t (type $f) (i32.rem_u (local.get $i) (table.size $t)))))
         (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 99))))
       (table.set $t (i32.const 0) (ref.null func)) (elem.drop $e)
       (i32.add (local.get $n) (ref.is_null (table.get $t (i32.const 0)))))`,
  ],
  [
    "typed-function-references",
    `(type $f (func (param i32) (result i32))) (elem declare func $deep)
     (func $deep (param i32) (result i32) (if (result i32) (local.get 0)
       (then (i32.add (i32.const 1) (call_ref $f (i32.sub (local.get 0) (i32.const 1)) (ref.func $deep)))) (else (i32.const 0))))
     (func (export "run") (result i32) (local $r (ref null $f)) (local $i i32)
       (local.set $r (ref.func $deep))
       (loop $l (drop (block $b (result (ref null $f)) (drop (br_on_null $l (local.get $r)))
         (if (i32.lt_u (local.get $i) (i32.const 9)) (then (local.set $i (i32.add (local.get $i) (i32.const 1))) (br $l))) (local.get $r))))
       (call_ref $f (i32.const 300) (local.get $r)))`,
  ],
  [
    "simd",
    `(memory (export "memory") 1)
     (func (export "run") (result i32) (local $v v128) (local $i i32)
       (loop $l
         (local.set $v (i8x16.shuffle 0 17 2 19 4 21 6 23 8 25 10 27 12 29 14 31
           (i32x4.add (local.get $v) (i32x4.splat (local.get $i))) (v128.load offset=16 (local.get $i))))
         (v128.store8_lane 3 (local.get $i) (local.get $v))
         (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 500))))
       (i32x4.extract_lane 2 (local.get $v)))`,
  ],
  [
    "relaxed-simd",
    `(func (export "run") (result f32) (local $v v128) (local $i i32)
       (local.set $v (f32x4.splat (f32.const 0.5)))
       (loop $l (local.set $v (f32x4.relaxed_madd (local.get $v) (local.get $v) (f32x4.splat (f32.const 0.25))))
         (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 50))))
       (f32x4.extract_lane 1 (local.get $v)))`,
  ],
  [
    "atomics",
    `(memory (export "memory") 1)
     (func (export "run") (result i32) (local $i i32)
       (loop $l (drop (i32.atomic.rmw.add (i32.const 8) (local.get $i))) (atomic.fence)
         (drop (i32.atomic.rmw.cmpxchg (i32.const 16) (i32.const 0) (local.get $i)))
         (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 500))))
       (drop (memory.atomic.notify (i32.const 8) (i32.const 1))) (i32.atomic.load (i32.const 8)))`,
  ],
  [
    "tail-calls",
    `(type $f (func (param i32 i64) (result i64))) (table funcref (elem $even $odd))
     (func $even (type $f) (if (i32.eqz (local.get 0)) (then (return (local.get 1))))
       (return_call $odd (i32.sub (local.get 0) (i32.const 1)) (i64.add (local.get 1) (i64.const 2))))
     (func $odd (type $f) (return_call_indirect (type $f) (i32.sub (local.get 0) (i32.const 1)) (local.get 1) (i32.const 0)))
     (func $direct (type $f) (if (i32.eqz (local.get 0)) (then (return_call $small (local.get 1))))
       (return_call $direct (i32.sub (local.get 0) (i32.const 1)) (i64.add (local.get 1) (i64.const 3))))
     (func $small (param i64) (result i64) (i64.mul (local.get 0) (i64.const 2)))
     (func (export "run") (result i64) (call $even (i32.const 300000) (i64.const 0)))
     (func (export "direct") (result i64) (call $direct (i32.const 300001) (i64.const 0)))`,
  ],
  [
    "legacy-exceptions",
    `(tag $t (param i32)) (tag $u)
     (func $maybe (param i32) (result i32) (local $i i32)
       (loop $l (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get 0))))
       (if (i32.and (local.get 0) (i32.const 1)) (then (throw $t (local.get 0))))
       (if (i32.and (local.get 0) (i32.const 2)) (then (throw $u))) (local.get $i))
     (func (export "run") (result i32) (local $i i32) (local $n i32)
       (loop $l
         (local.set $n (i32.add (local.get $n)
           (try $o (result i32) (do
             (try $in (result i32) (do (call $maybe (local.get $i)))
               (catch $t (i32.const 5) (i32.add)) (catch_all (rethrow $in))))
             (catch_all (try (do (try (do (throw $u)) (delegate 0))) (catch $u)) (i32.const 1000)))))
         (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 60))))
       (local.get $n))
     (func (export "uncaught") (throw $t (i32.const 3)))`,
  ],
  [
    "exceptions",
    `(tag $t (param i32)) (tag $u)
     (func $maybe (param i32) (result i32) (local $i i32)
       (loop $l (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get 0))))
       (if (i32.and (local.get 0) (i32.const 1)) (then (throw $t (local.get 0))))
       (if (i32.and (local.get 0) (i32.const 2)) (then (throw $u))) (local.get $i))
     (func $once (param i32) (result i32)
       (block $caught (result i32)
         (block $all
           (return (try_table (result i32) (catch $t $caught) (catch_all $all) (call $maybe (local.get 0)))))
         (i32.const 1000)))
     (func (export "run") (result i32) (local $i i32) (local $n i32)
       (loop $l
         (local.set $n (i32.add (local.get $n) (call $once (local.get $i))))
         (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 60))))
       (local.get $n))
     (func (export "to_the_loop") (result i32) (local $i i32)
       (loop $l
         (if (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 50))
           (then (try_table (catch_all $l) (throw $u)))))
       (local.get $i))
     (func (export "out_of_the_function") (try_table (catch_all 0) (drop (call $maybe (i32.const 7)))))
     (func (export "thrown_on") (block $x (result exnref)
         (try_table (catch_all_ref $x) (drop (call $maybe (i32.const 2)))) (unreachable)) (throw_ref))`,
  ],
];

/** Without GC Binaryen makes every reference to a function a funcref. */
function assembled(text: string, feature: string | null): Uint8Array {
  const parsed = binaryen.parseText(`(module ${text})`);
  try {
    const { All, GC } = binaryen.Features;
    parsed.setFeatures(feature === "typed-function-references" ? All : All & ~GC);
    return Uint8Array.from(parsed.emitBinary());
  } finally {
    parsed.dispose();
  }
}

describe("A metered module behaves as the plain one", () => {
  for (const [feature, text] of families) {
    it(`with instructions of: ${feature ?? "WebAssembly 1.0"}`, () => {
      const bytes = assembled(text, feature);
      const { features } = inspectModule(bytes, { metered: true });
      if (feature !== null) assert(features.includes(feature), `${features} without ${feature}`);
      const plain = observePlain(bytes);
      assert.deepEqual(observeMetered(bytes).seen, plain.seen);
      assert(
        plain.seen.length > 1 && !plain.seen.some((line) => /LinkError|CompileError/.test(line)),
        plain.seen.join(),
      );
    });
  }
});

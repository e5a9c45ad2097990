// Real modules for the tests of `host/wasm/`: out of wabt (text format) and of AssemblyScript.

import asc from "assemblyscript/asc";
import wabtInit from "wabt";

const wabt = await wabtInit();

const features = {
  exceptions: true,
  mutable_globals: true,
  sat_float_to_int: true,
  sign_extension: true,
  simd: true,
  threads: true,
  function_references: true,
  multi_value: true,
  tail_call: true,
  bulk_memory: true,
  reference_types: true,
  annotations: true,
  memory64: true,
  multi_memory: true,
  extended_const: true,
  relaxed_simd: true,
};

/** Assembles text format; names go into the name section. Not validated: V8 is asked where it matters. */
export function assemble(text: string): Uint8Array {
  const parsed = wabt.parseWat("test.wat", text, features);
  try {
    return Uint8Array.from(parsed.toBinary({ write_debug_names: true }).buffer);
  } finally {
    parsed.destroy();
  }
}

export async function compileAssemblyScript(source: string, options: string[] = []): Promise<Uint8Array> {
  let binary: Uint8Array | null = null;
  const { error, stderr } = await asc.main(
    ["input.ts", "--outFile", "output.wasm", "--runtime", "stub", ...options],
    {
      readFile: (filename: string) => (filename === "input.ts" ? source : null),
      writeFile: (_filename: string, contents: string | Uint8Array) => {
        if (typeof contents !== "string") binary = contents;
      },
      listFiles: () => [],
    },
  );
  if (error !== null || binary === null)
    throw new Error(`asc failed: ${error?.message} ${stderr?.toString()}`);
  return binary;
}

export const growText = `
(module
  (type $unused (func (param i64) (result i64)))
  (import "env" "note" (func $note (param i32)))
  (memory $m (export "memory") 1 8)
  (global $count (mut i32) (i32.const 0))
  (table 2 funcref)
  (elem (i32.const 0) $grow $nested)
  (data (i32.const 16) "hello")
  (func $grow (export "grow") (param i32) (result i32)
    (global.set $count (i32.add (global.get $count) (i32.const 1)))
    (memory.grow (local.get 0)))
  (func $nested (export "nested") (param i32) (result i32) (local i32 i64 f64)
    (block $out (result i32)
      (loop $again
        (if (i32.lt_s (local.get 1) (local.get 0))
          (then
            (local.set 1 (i32.add (local.get 1) (i32.const 1)))
            (br_if $out (i32.const -7) (i32.eq (memory.grow (i32.const 1)) (i32.const -1)))
            (br $again))))
      (i32.add (i32.mul (memory.size) (i32.const 100)) (local.get 1))))
  (func (export "byte") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func (export "through_table") (param i32 i32) (result i32)
    (call_indirect (param i32) (result i32) (local.get 1) (local.get 0)))
  (func (export "count") (result i32) (call $note (memory.size)) (global.get $count)))`;

const plainText = `
(module
  (memory (export "memory") 1)
  (data (i32.const 0) "abc") (data $later "passive")
  (func $fib (export "fib") (param i32) (result i32)
    (if (result i32) (i32.lt_s (local.get 0) (i32.const 2))
      (then (local.get 0))
      (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))
                     (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
  (func (export "fill") (memory.fill (i32.const 0) (i32.const 7) (i32.const 99))
    (memory.init $later (i32.const 9) (i32.const 0) (i32.const 3)) (data.drop $later)))`;

const simdText = `
(module
  (memory 1)
  (global (mut v128) (v128.const i32x4 1 2 3 4))
  (func (export "sum") (param i32) (result i32)
    (v128.store8_lane 3 (local.get 0) (v128.const i32x4 1 2 3 4))
    (i32x4.extract_lane 2 (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15
      (v128.load (local.get 0)) (i32x4.splat (i32.atomic.rmw.add (local.get 0) (i32.const 3))))))
  (func (export "switch") (param i32) (result i64)
    (block (block (block (br_table 0 1 2 0 (local.get 0))) (return (i64.const -9000000000000)))
      (return (i64.trunc_sat_f64_s (f64.const 1e300))))
    (i64.extend8_s (i64.const 200))))`;

const exceptionText = `
(module
  (tag $t (param i32))
  (table 3 10 externref)
  (func $thrower (param i32) (throw $t (local.get 0)))
  (elem declare func $thrower)
  (func (export "caught") (param i32) (result i32)
    (try (result i32) (do (call $thrower (local.get 0)) (i32.const 0)) (catch $t)))
  (func (export "pair") (result i32 funcref) (i32.const 4) (ref.func $thrower))
  (func (export "put") (param externref) (table.set 0 (i32.const 1) (local.get 0))
    (drop (table.grow 0 (ref.null extern) (i32.const 1)))
    (drop (select (result externref) (local.get 0) (ref.null extern) (i32.const 1)))))`;

const script = `
  @external("env", "note") declare function note(value: i32): void;
  class Point { constructor(public x: f64, public y: f64) {} }
  const points = new Map<string, Point>();
  export function add(name: string, x: f64, y: f64): i32 { points.set(name, new Point(x, y)); return points.size; }
  export function churn(n: i32): i32 {
    let text = ""; for (let i = 0; i < n; i++) text += i.toString() + ",";
    note(text.length); return text.split(",").map<i32>((part) => part.length).reduce((a, b) => a + b, 0);
  }`;

export type Sample = { readonly label: string; readonly bytes: Uint8Array };

/** Real modules, all of them valid and acceptable. */
export const corpus: readonly Sample[] = [
  { label: "wabt grow", bytes: assemble(growText) },
  { label: "wabt plain", bytes: assemble(plainText) },
  { label: "wabt simd and atomics", bytes: assemble(simdText) },
  { label: "wabt exceptions and references", bytes: assemble(exceptionText) },
  { label: "wabt empty", bytes: assemble("(module)") },
  { label: "AssemblyScript optimised", bytes: await compileAssemblyScript(script, ["-O3"]) },
  { label: "AssemblyScript debug", bytes: await compileAssemblyScript(script, ["--debug"]) },
  {
    label: "AssemblyScript with collector",
    bytes: await compileAssemblyScript(script, ["--runtime", "incremental"]),
  },
];

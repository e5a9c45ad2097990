// Whether the instances of a module can be set back, and that one which was set back does what a new
// one does. Random modules come from Binaryen, without what makes an instance impossible to set back.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { inspectModule, WasmRefusal } from "../../host/wasm/inspect.ts";
import { assemble, corpus } from "./corpus.ts";
import { observeReset } from "./meter/observe.ts";
import { randomModule } from "./meter/random-modules.ts";

const soak = process.env["MAYFLY_TEST_SOAK"] === "1";
const firstSeed = Number(process.env["MAYFLY_TEST_SEED"] ?? 31_260_700);
const randomModules = soak ? 1_500 : 6;

const globalsOf = (fields: string): readonly number[] | null =>
  inspectModule(assemble(`(module ${fields})`), { metered: true }).resettableGlobals;

const table = "(table $t 4 funcref) (elem $e func $f) (func $f)";
const memory = '(memory 1) (data $d "x")';

const rows: readonly (readonly [what: string, fields: string, globals: readonly number[] | null])[] = [
  ["nothing at all", "", []],
  ["constants", "(global i32 (i32.const 1)) (global f64 (f64.const 1))", []],
  [
    "numbers",
    "(global i32 (i32.const 0)) (global (mut i64) (i64.const 0)) (global (mut f32) (f32.const 0))",
    [1, 2],
  ],
  ["a vector", "(global (mut v128) (v128.const i32x4 0 0 0 0))", null],
  ["a function reference", "(global (mut funcref) (ref.null func))", null],
  ["a constant reference", "(global funcref (ref.null func))", []],
  ["an external reference", "(global (mut externref) (ref.null extern))", null],
  ["an imported variable", '(import "a" "b" (global (mut i32)))', null],
  ["a table that is read", `${table} (func (drop (table.get $t (i32.const 0))) (drop (table.size $t)))`, []],
  ["table.set", `${table} (func (table.set $t (i32.const 0) (ref.null func)))`, null],
  ["table.grow", `${table} (func (drop (table.grow $t (ref.null func) (i32.const 1))))`, null],
  ["table.fill", `${table} (func (table.fill $t (i32.const 0) (ref.null func) (i32.const 1)))`, null],
  ["table.copy", `${table} (func (table.copy $t $t (i32.const 0) (i32.const 1) (i32.const 1)))`, null],
  ["table.init", `${table} (func (table.init $t $e (i32.const 0) (i32.const 0) (i32.const 1)))`, null],
  ["elem.drop", `${table} (func (elem.drop $e))`, null],
  ["memory.init", `${memory} (func (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1)))`, []],
  ["data.drop", `${memory} (func (data.drop $d))`, null],
  ["memory.grow", `${memory} (func (drop (memory.grow (i32.const 1))))`, []],
  ["many numbers", "(global (mut i32) (i32.const 0))".repeat(1_001), null],
];

for (const [what, fields, globals] of rows) {
  test(`can be set back or not: ${what}`, () => assert.deepEqual(globalsOf(fields), globals));
}

test("a refusal of what is not known does not depend on it: the features named stay the same", () => {
  const { features } = inspectModule(assemble(`(module ${table} (func (elem.drop $e)))`), { metered: true });
  assert.deepEqual(features, ["bulk-memory"]);
});

for (const { label, bytes } of corpus) {
  test(`does the same on a reset instance: ${label}`, (context) => {
    if (inspectModule(bytes, { metered: true }).resettableGlobals === null) {
      return context.skip("its instances cannot be set back");
    }
    const { fresh, reset } = observeReset(bytes);
    if (reset !== null) assert.deepEqual(reset, fresh);
    else assert.ok(fresh.length > 0);
  });
}

/**
 * Leaves out some of what most often makes an instance one that cannot be set back. With references,
 * one module in eight can be; without them, each: so every other module has none.
 */
const plainer = ["--disable-simd", "--disable-relaxed-simd", "--disable-bulk-memory"];
const plainest = [...plainer, "--disable-reference-types", "--disable-exception-handling"];

test(`does the same on a reset instance: ${randomModules} random modules`, {
  timeout: 3_600_000,
}, async (context) => {
  const tally = { compared: 0, unfit: 0, refused: 0, notSetBack: 0, overflowed: 0, seen: 0 };
  let next = firstSeed;
  const work = async (): Promise<void> => {
    while (next < firstSeed + randomModules) {
      const seed = next;
      next += 1;
      compare(seed, await randomModule(seed, seed % 2 === 0 ? plainest : plainer), tally);
    }
  };
  await Promise.all([work(), work()]);
  context.diagnostic(`seeds from ${firstSeed}: ${JSON.stringify(tally)}`);
  assert.ok(tally.compared > randomModules / 4);
  assert.ok(tally.seen > 20 * tally.compared);
});

type Tally = {
  compared: number;
  unfit: number;
  refused: number;
  notSetBack: number;
  overflowed: number;
  seen: number;
};

function compare(seed: number, bytes: Uint8Array, tally: Tally): void {
  if (!WebAssembly.validate(Uint8Array.from(bytes))) {
    tally.unfit += 1;
    return;
  }
  try {
    if (inspectModule(bytes, { metered: true }).resettableGlobals === null) {
      tally.unfit += 1;
      return;
    }
  } catch (error) {
    // Both forms of exceptions in one module, which no call ever runs: one random module in 2,000.
    assert.ok(error instanceof WasmRefusal, `seed ${seed}`);
    tally.refused += 1;
    return;
  }
  const { fresh, reset } = observeReset(bytes);
  // How deep a stack goes depends on how far V8 has optimised, on new and on reset instances alike.
  if (fresh.some((line) => line.includes("call stack"))) tally.overflowed += 1;
  else if (reset === null) tally.notSetBack += 1;
  else {
    assert.deepEqual(reset, fresh, `seed ${seed}`);
    tally.compared += 1;
    tally.seen += fresh.length;
  }
}

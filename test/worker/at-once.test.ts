// Running an export whole, on a guest's stack, and the trap that no guest catches.

import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { entersAtOnce, helperBytes, startsAtOnce, trap } from "../../host/worker/at-once.ts";
import { Suspending } from "../../host/worker/jspi.ts";
import { assemble } from "../support/guests.ts";

type Entry = (argument: number) => void;

const told: number[] = [];
let behaviour: (value: number) => unknown = () => {};
const { entry, start, caught, loops, deep } = new WebAssembly.Instance(
  new WebAssembly.Module(
    assemble(`(module
      (import "test" "tell" (func $tell (param i32)))
      (import "test" "suspend" (func $suspend (param i32)))
      (func (export "entry") (param i32) (call $tell (local.get 0)))
      (func (export "start") (call $tell (i32.const -1)))
      (func (export "caught") (param i32) try (call $tell (local.get 0)) catch_all end (call $tell (i32.const 2)))
      (func (export "loops") (param i32) try (call $suspend (local.get 0)) catch_all end (call $tell (i32.const 2)))
      (func $deep (export "deep") (param i32)
        (if (local.get 0) (then (call $deep (i32.sub (local.get 0) (i32.const 1)))))))`) as BufferSource,
  ),
  {
    test: {
      tell: (value: number) => {
        told.push(value);
        return behaviour(value);
      },
      suspend: new Suspending((value: number) => {
        told.push(value);
        return behaviour(value);
      }),
    },
  },
).exports as { entry: Entry; start: () => void; caught: Entry; loops: Entry; deep: Entry };

const run = (does: (value: number) => unknown, work: () => boolean): { ended: boolean; told: number[] } => {
  told.length = 0;
  behaviour = does;
  const ended = work();
  return { ended, told: [...told] };
};

test("the helper's bytes are those of the text above it", () => {
  const source = readFileSync(new URL("../../host/worker/at-once.ts", import.meta.url), "utf8");
  const text = source
    .split("\n")
    .filter((line) => line.startsWith("//   "))
    .map((line) => line.slice(2))
    .join("\n");
  assert.deepEqual(Buffer.from(assemble(text)), Buffer.from(helperBytes));
});

test("an export runs whole before the next line does, with its argument", () => {
  assert.deepEqual(
    run(
      () => {},
      () => entersAtOnce(entry, 7),
    ),
    { ended: true, told: [7] },
  );
  assert.deepEqual(
    run(
      () => {},
      () => startsAtOnce(start),
    ),
    { ended: true, told: [-1] },
  );
});

test("what an import throws, and a trap, are an end that is not well, and no unhandled rejection", async () => {
  const unhandled: unknown[] = [];
  const note = (error: unknown): void => void unhandled.push(error);
  process.on("unhandledRejection", note);
  const fault = (): never => {
    throw new Error("fault");
  };
  assert.deepEqual(
    run(fault, () => entersAtOnce(entry, 7)),
    { ended: false, told: [7] },
  );
  assert.deepEqual(
    run(fault, () => startsAtOnce(start)),
    { ended: false, told: [-1] },
  );
  assert.deepEqual(
    run(trap, () => entersAtOnce(entry, 7)),
    { ended: false, told: [7] },
  );
  await new Promise((resolve) => setImmediate(resolve));
  process.off("unhandledRejection", note);
  assert.deepEqual(unhandled, []);
});

test("a guest catches what an import throws, and not the trap, whether the import may suspend or not", () => {
  const fault = (value: number): void => {
    if (value === 1) throw new Error("fault");
  };
  const trapped = (value: number): void => {
    if (value === 1) trap();
  };
  for (const guest of [caught, loops]) {
    assert.deepEqual(
      run(fault, () => entersAtOnce(guest, 1)),
      { ended: true, told: [1, 2] },
    );
    assert.deepEqual(
      run(trapped, () => entersAtOnce(guest, 1)),
      { ended: false, told: [1] },
    );
  }
});

test("recursion goes as deep as on a guest's own stack, and not as deep as on the thread's", () => {
  const ends = (depth: number): boolean =>
    run(
      () => {},
      () => entersAtOnce(deep, depth),
    ).ended;
  // How deep that is depends on how large the frames are of whichever compiler made the function.
  let depth = 500;
  while (ends(depth) && depth < 1_000_000) depth *= 2;
  assert.ok(depth > 500 && depth < 1_000_000, `${depth}`);
  deep(depth);
});

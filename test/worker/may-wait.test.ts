// An import that suspends its guest when it has to, and not when it does not.

import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { startsAtOnce } from "../../host/worker/at-once.ts";
import { promising } from "../../host/worker/jspi.ts";
import { helperBytes, mayWait, wouldWait } from "../../host/worker/may-wait.ts";
import { assemble } from "../support/guests.ts";

const guest = new WebAssembly.Module(
  assemble(`(module
    (import "test" "call" (func $call (param i32 i32 i32 i32) (result i32)))
    (import "test" "tell" (func $tell (param i32)))
    (func (export "run")
      (call $tell (call $call (i32.const 1) (i32.const 2) (i32.const 3) (i32.const 4)))))`) as BufferSource,
);

function running(now: () => number, later: () => Promise<number>) {
  const calls: unknown[] = [];
  const told: number[] = [];
  const call = mayWait(
    (...args) => {
      calls.push(["now", ...args]);
      return now();
    },
    (...args) => {
      calls.push(["later", ...args]);
      return later();
    },
  );
  const tell = (value: number) => void told.push(value);
  const { run } = new WebAssembly.Instance(guest, { test: { call, tell } }).exports as { run: () => void };
  return { run, calls, told };
}

test("the helper's bytes are those of the text above it", () => {
  const source = readFileSync(new URL("../../host/worker/may-wait.ts", import.meta.url), "utf8");
  const text = source
    .split("\n")
    .filter((line) => line.startsWith("//   "))
    .map((line) => line.slice(2))
    .join("\n");
  assert.deepEqual(Buffer.from(assemble(text)), Buffer.from(helperBytes));
});

test("a call that need not wait is answered on the stack of its guest", () => {
  const { run, calls, told } = running(
    () => 7,
    () => assert.fail("nothing waits"),
  );
  assert.equal(startsAtOnce(run), true);
  assert.deepEqual([calls, told], [[["now", 1, 2, 3, 4]], [7]]);
});

test("one that has to suspends its guest, with the same arguments", async () => {
  let resolve = (_: number): void => {};
  const { run, calls, told } = running(
    () => wouldWait,
    () =>
      new Promise((settle) => {
        resolve = settle;
      }),
  );
  const ended = promising(run)();
  assert.deepEqual(calls, [
    ["now", 1, 2, 3, 4],
    ["later", 1, 2, 3, 4],
  ]);
  assert.deepEqual(told, []);
  resolve(9);
  await ended;
  assert.deepEqual(told, [9]);
});

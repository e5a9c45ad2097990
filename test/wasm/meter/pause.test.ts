// A metered guest that is told to give way calls the pause, which may suspend it, and does as it says.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Verdict, verdict } from "../../../host/prepared-names.ts";
import { promising, Suspending } from "../../../host/worker/jspi.ts";
import { assemble } from "../corpus.ts";
import { meter } from "./counting.ts";

/** Adds up 0, 1, 2 ... 999,999 in a loop, and the same again by recursion a hundred deep. */
const text = `(module (memory (export "memory") 1)
  (func $deep (param $n i32) (result i64)
    (if (result i64) (i32.eqz (local.get $n)) (then (i64.const 0))
      (else (i64.add (i64.extend_i32_u (local.get $n)) (call $deep (i32.sub (local.get $n) (i32.const 1)))))))
  (func (export "run") (result i64) (local $i i32) (local $sum i64)
    (loop $l
      (local.set $sum (i64.add (local.get $sum) (i64.extend_i32_u (local.get $i))))
      (if (i32.eqz (i32.rem_u (local.get $i) (i32.const 1000)))
        (then (local.set $sum (i64.add (local.get $sum) (call $deep (i32.const 100))))))
      (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000000))))
    (local.get $sum)))`;
const expected = 499_999_500_000n + 1_000n * 5_050n;

function run(bytes: Uint8Array, check: () => Verdict, pause: WebAssembly.ImportValue): Promise<unknown> {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(meter(bytes)), {
    "mayfly:host": { memory, check, pause },
  });
  return promising(exports["run"] as () => unknown)() as Promise<unknown>;
}

test("a guest that is suspended at every check comes to the same result", async () => {
  let pauses = 0;
  const pause = new Suspending(async () => {
    pauses += 1;
    if (pauses % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
    return verdict.goOn;
  });
  assert.equal(await run(assemble(text), () => verdict.pause, pause), expected);
  assert.ok(pauses > 50, String(pauses));
});

test("a pause that answers at once, from a plain function, does as well", async () => {
  let checks = 0;
  const check = (): Verdict => {
    checks += 1;
    return checks % 2 === 0 ? verdict.pause : verdict.goOn;
  };
  assert.equal(await run(assemble(text), check, () => verdict.goOn), expected);
  assert.ok(checks > 50, String(checks));
});

test("a guest that is to stop when its pause ends traps", async () => {
  let pauses = 0;
  const pause = new Suspending(async () => {
    pauses += 1;
    return pauses > 3 ? verdict.stop : verdict.goOn;
  });
  await assert.rejects(
    run(assemble(text), () => verdict.pause, pause),
    /unreachable/,
  );
  assert.equal(pauses, 4);
});

test("one that is told to stop is not asked to pause", async () => {
  const pause = (): never => assert.fail("it was to stop");
  await assert.rejects(
    run(assemble(text), () => verdict.stop, pause),
    /unreachable/,
  );
});

test("no catch_all swallows the stop of a pause", async () => {
  const catching = assemble(`(module (memory (export "memory") 1)
    (func $spin (loop (br 0)))
    (func (export "run") (loop (try (do (call $spin)) (catch_all)) (br 0))))`);
  const pause = new Suspending(async () => verdict.stop);
  await assert.rejects(
    run(catching, () => verdict.pause, pause),
    /unreachable/,
  );
});

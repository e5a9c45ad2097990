// The isolation dial: what a call finds of the calls before it.

import { strict as assert } from "node:assert";
import { after, test } from "node:test";
import { assemble } from "../support/guests.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";

const host = await TestHost.start({ minWorkers: 1, maxWorkers: 1 });
after(() => host.close());

/** Answers how many calls its instance has had, as one byte; with a body it then traps. */
const counter = (first: number): Uint8Array =>
  assemble(`(module
    (import "mayfly" "request_read" (func $read (param i32)))
    (import "mayfly" "response_write" (func $write (param i32 i32)))
    (memory (export "memory") 1)
    (global $calls (mut i32) (i32.const ${first}))
    (data (i32.const 0) "\\08\\00\\00\\00\\c8\\00\\00\\00\\00\\00\\00\\00")
    (func (export "mayfly_handle") (param $bytes i32)
      (call $read (i32.const 64))
      (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
      (i32.store8 (i32.const 12) (global.get $calls))
      (call $write (i32.const 0) (i32.const 13))
      (if (i32.gt_u (local.get $bytes) (i32.add (i32.const 4) (i32.load (i32.const 64)))) (then unreachable))))`);

const count = async (name: string): Promise<number> => {
  const answer = await host.call(name);
  assert.equal(answer.status, 200, answer.text);
  return answer.bytes[0] ?? -1;
};
const counts = async (name: string): Promise<number[]> => [
  await count(name),
  await count(name),
  await count(name),
];

test("fresh is the default: no call finds anything of another", async () => {
  await host.deploy("counter", counter(0));
  assert.deepEqual(await counts("counter"), [1, 1, 1]);
});

test("reuse: calls find what the last one left, but none after a trap, a new configuration or a new version", async () => {
  await host.configure("counter", { isolation: "reuse" });
  assert.deepEqual(await counts("counter"), [1, 2, 3]);
  assertProblem(await host.call("counter", { body: "trap" }), 502, "guest_trapped");
  assert.deepEqual(await counts("counter"), [1, 2, 3]);
  await host.configure("counter", { isolation: "reuse", cpuMs: 999 });
  assert.deepEqual(await counts("counter"), [1, 2, 3]);
  await host.deploy("counter", counter(100));
  assert.deepEqual(await counts("counter"), [101, 102, 103]);
  await host.configure("counter", { isolation: "fresh" });
  assert.deepEqual(await counts("counter"), [101, 101, 101]);
});

test("snapshot: the initialisation runs once in a thread, and calls find what it left and nothing else", async () => {
  const started = assemble(`(module
    (import "mayfly" "log" (func $log (param i32 i32 i32)))
    (import "mayfly" "response_write" (func $write (param i32 i32)))
    (memory (export "memory") 1) (data (i32.const 100) "began")
    (data (i32.const 0) "\\08\\00\\00\\00\\c8\\00\\00\\00\\00\\00\\00\\00")
    (func (export "mayfly_init") (i32.store8 (i32.const 12) (i32.const 42))
      (call $log (i32.const 1) (i32.const 100) (i32.const 5)))
    (func (export "mayfly_handle") (param i32)
      (i32.store8 (i32.const 12) (i32.add (i32.load8_u (i32.const 12)) (i32.const 1)))
      (call $write (i32.const 0) (i32.const 13))))`);
  await host.deploy("started", started);
  assert.deepEqual(await counts("started"), [43, 43, 43]);
  const begun = (await host.logs("started")).length;
  assert.equal(begun, 3, "each call is initialised");
  await host.configure("started", { isolation: "snapshot" });
  assert.deepEqual(await counts("started"), [43, 43, 43]);
  const initialised = (await host.logs("started")).length - begun;
  // There are two threads that run guests: a worker, and for short calls the main one.
  assert.ok(initialised === 1 || initialised === 2, `${initialised} times`);
});

test("an initialisation that does not end, traps or asks what only a call may is start_failed", async () => {
  for (const body of ["(loop (br 0))", "unreachable", "(drop (call $now))"]) {
    const bad =
      assemble(`(module (import "mayfly" "now" (func $now (result f64))) (memory (export "memory") 1)
      (func (export "mayfly_init") ${body}) (func (export "mayfly_handle") (param i32)))`);
    assertProblem(await host.upload("bad-start", bad), 422, "start_failed");
  }
});

test("reuse: another function with the same bytes shares nothing", async () => {
  await host.deploy("one", counter(0));
  await host.deploy("two", counter(0));
  for (const name of ["one", "two"]) await host.configure(name, { isolation: "reuse" });
  assert.deepEqual(await counts("one"), [1, 2, 3]);
  assert.deepEqual(await counts("two"), [1, 2, 3]);
});

test("reuse: calls at once never share an instance", async () => {
  await host.deploy("many", counter(0));
  await host.configure("many", { isolation: "reuse" });
  const answers = await Promise.all(Array.from({ length: 200 }, () => host.call("many")));
  const seen = answers.map(({ bytes }) => bytes[0] ?? -1);
  // Each count of an instance is given once: a count of n was preceded by all smaller ones.
  for (const [n, times] of Object.entries(Object.groupBy(seen, String)).map(
    ([k, v]) => [+k, v?.length ?? 0] as const,
  )) {
    const before = seen.filter((other) => other === n - 1).length;
    assert.ok(n === 1 || before >= times, `${times} calls were number ${n}, ${before} number ${n - 1}`);
  }
});

test("dedicated: threads of its own, on which nothing else runs, and a fresh instance for each call", async () => {
  const threads = async (): Promise<number> =>
    Number(/^mayfly_threads (\d+)$/m.exec((await host.ask("GET", "/metrics")).text)?.[1]);
  await host.deploy("apart", counter(0));
  await host.deploy("shared", counter(0));
  assert.deepEqual(await counts("shared"), [1, 1, 1]);
  assert.equal(await threads(), 1);
  await host.configure("apart", { isolation: "dedicated" });
  assert.deepEqual(await counts("apart"), [1, 1, 1]);
  assert.equal(await threads(), 2);
  await host.configure("apart", {});
  assert.deepEqual(await counts("apart"), [1, 1, 1]);
});

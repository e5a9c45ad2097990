// docs/threat-model.md (a): guests that are accepted and then run away. Each call ends with its code, the next call
// is answered, and nobody who waits on the same thread waits for ever.

import { strict as assert } from "node:assert";
import { after, afterEach, test } from "node:test";
import { answering, assemble, guest, order, puppet } from "../support/guests.ts";
import type { Answer } from "../support/http-client.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";

const host = await TestHost.start({ minWorkers: 1, maxWorkers: 1 });
after(() => host.close());
await host.deploy("puppet", puppet());
await host.deploy("good", answering("good"));
await host.configure("puppet", { cpuMs: 60, timeoutMs: 30_000 });
afterEach(async () => {
  assert.equal((await host.call("good")).text, "good");
});

const act = (...parts: Parameters<typeof order>): Promise<Answer> =>
  host.call("puppet", { body: order(...parts) });

test("A1: an endless loop ends at its CPU limit, and calls behind it on the one thread are answered", async () => {
  const loop = act("loop");
  const others = await Promise.all(Array.from({ length: 30 }, () => host.call("good")));
  for (const answer of others) assert.equal(answer.text, "good");
  assertProblem(await loop, 504, "cpu_exceeded");
});

/** Counts to a number that takes some tens of milliseconds, then traps. */
const busy = guest(`(local $i i32)
  (loop
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_if 0 (i32.lt_u (local.get $i) (i32.const 10000000))))
  unreachable`);

test("A1: calls behind one that is long but ends by itself are answered, whenever they come", async () => {
  await host.deploy("busy", busy);
  for (const name of ["busy", "good"]) await host.configure(name, { timeoutMs: 5_000, cpuMs: 5_000 });
  for (let round = 0; round < 30; round += 1) {
    const long = host.call("busy");
    await new Promise((resolve) => setTimeout(resolve, round % 12));
    const others = await Promise.all(Array.from({ length: 12 }, () => host.call("good")));
    for (const answer of others) assert.equal(answer.text, "good", `round ${round}`);
    assertProblem(await long, 502, "guest_trapped");
  }
});

test("A1: on a host that keeps no threads, calls behind an endless loop are answered", async () => {
  const lean = await TestHost.start({ minWorkers: 0, maxWorkers: 1 });
  try {
    await lean.deploy("puppet", puppet());
    await lean.deploy("good", answering("good"));
    await lean.configure("puppet", { cpuMs: 60 });
    for (let round = 0; round < 3; round += 1) {
      const loops = Array.from({ length: 2 }, () => lean.call("puppet", { body: order("loop") }));
      const goods = Array.from({ length: 20 }, () => lean.call("good"));
      for (const answer of await Promise.all(goods)) assert.equal(answer.text, "good");
      for (const answer of await Promise.all(loops)) assertProblem(answer, 504, "cpu_exceeded");
    }
  } finally {
    await lean.close();
  }
});

test("A1: many endless loops at once all end, and other calls get their turn", async () => {
  await host.configure("puppet", { cpuMs: 60, timeoutMs: 30_000, concurrency: 6 });
  const loops = Array.from({ length: 6 }, () => act("loop"));
  const goods = Array.from({ length: 20 }, () => host.call("good"));
  for (const answer of await Promise.all(goods)) assert.equal(answer.text, "good");
  for (const answer of await Promise.all(loops)) assertProblem(answer, 504, "cpu_exceeded");
});

test("A1: a loop whose wall clock runs out first is deadline_exceeded", async () => {
  await host.configure("puppet", { cpuMs: 900_000, timeoutMs: 80 });
  assertProblem(await act("loop"), 504, "deadline_exceeded");
  await host.configure("puppet", { cpuMs: 60, timeoutMs: 30_000 });
});

for (const [name, bytes] of [
  ["4 KB", 4_096],
  ["128 KB", 131_072],
] as const) {
  for (const what of ["fill_for_ever", "copy_for_ever"] as const) {
    test(`A4: a loop around memory.${what.split("_")[0]} of ${name} ends at its CPU limit`, async () => {
      assertProblem(await act(what, bytes), 504, "cpu_exceeded");
    });
  }
}

const loops = [
  ["memory.fill of 64 MB", "(memory.fill (i32.const 0) (i32.const 1) (i32.const 67108864))"],
  ["memory.copy of 32 MB", "(memory.copy (i32.const 0) (i32.const 33554432) (i32.const 33554432))"],
  ["table.fill of 100,000", "(table.fill $t (i32.const 0) (ref.null func) (i32.const 100000))"],
  ["table.copy of 50,000", "(table.copy $t $t (i32.const 0) (i32.const 50000) (i32.const 50000))"],
  ["table.grow", "(drop (table.grow $t (ref.null func) (i32.const 1)))"],
  ["memory.grow by nothing", "(drop (memory.grow (i32.const 0)))"],
  ["a host call", "(drop (call $now))"],
  ["throwing and catching", "(try (do (throw $oops)) (catch_all))"],
  ["catching everything around another loop", "(try (do (loop (br 0))) (catch_all))"],
] as const;
/** The first byte of the body chooses the loop. */
const looper = assemble(`(module
  (import "mayfly" "request_read" (func $read (param i32)))
  (import "mayfly" "now" (func $now (result f64)))
  (memory (export "memory") 1024) (table $t 100000 100000 funcref) (tag $oops)
  (func (export "mayfly_handle") (param i32) (local $choice i32)
    (call $read (i32.const 0))
    (local.set $choice (i32.load8_u (i32.add (i32.load (i32.const 0)) (i32.const 4))))
    ${loops
      .map(
        ([, instruction], at) => `(if (i32.eq (local.get $choice) (i32.const ${at + 48}))
        (then (loop ${instruction} (br 0))))`,
      )
      .join("\n")}))`);
await host.configure("looper", { cpuMs: 60 });
await host.deploy("looper", looper);
for (const [at, [what]] of loops.entries()) {
  test(`A4, A25, C12: a loop around ${what} ends`, async () => {
    const answer = await host.call("looper", { body: String(at) });
    if (what === "a host call") assert.ok([502, 504].includes(answer.status), answer.text);
    else assertProblem(answer, 504, "cpu_exceeded");
  });
}

const tailCalls = [
  ["itself", "(return_call $f)", "(func $f (return_call $f))"],
  ["two in turn", "(return_call $f)", "(func $f (return_call $g)) (func $g (return_call $f))"],
  [
    "one in a table",
    "(return_call $loop)",
    "(table funcref (elem $loop)) (func $loop (return_call_indirect (i32.const 0)))",
  ],
] as const;
for (const [what, body, fields] of tailCalls) {
  test(`A3, H1: a loop of tail calls to ${what} ends, and its thread lives on`, async () => {
    await host.deploy("tail", guest(body, fields));
    await host.configure("tail", { cpuMs: 60 });
    assertProblem(await host.call("tail"), 504, "cpu_exceeded");
    // One that has been optimised, too: V8 leaves no interrupt check in it.
    assertProblem(await host.call("tail"), 504, "cpu_exceeded");
  });
}

test("a stop is a trap: a guest that catches everything and goes on is stopped all the same", async () => {
  const catching = guest("(loop (try (do (loop (br 0))) (catch_all)) (br 0))");
  await host.deploy("catching", catching);
  await host.configure("catching", { cpuMs: 900_000, timeoutMs: 60 });
  assertProblem(await host.call("catching"), 504, "deadline_exceeded");
});

test("A6: memory.grow stops at the limit, and a trap after that is memory_exceeded", async () => {
  await host.configure("puppet", { memoryMb: 1, cpuMs: 5_000 });
  const granted = 16 - 3;
  assert.equal((await act("grow", granted)).status, 200);
  assertProblem(await act("grow_and_trap", granted), 502, "guest_trapped");
  assertProblem(await act("grow_and_trap", granted + 1), 502, "memory_exceeded");
  assert.equal((await act("grow", granted + 1)).status, 200, "a refusal alone is no error");
  assertProblem(await act("grow_and_trap", 0xffff_ffff), 502, "memory_exceeded");
});

test("A6: a guest that grows and touches all it gets stays within its limit", async () => {
  const bomb = guest(`(local $at i32)
    (loop
      (local.set $at (i32.shl (memory.size) (i32.const 16)))
      (if (i32.eq (memory.grow (i32.const 16)) (i32.const -1)) (then unreachable))
      (memory.fill (local.get $at) (i32.const 1) (i32.const 1048576))
      (br 0))`);
  await host.configure("bomb", { memoryMb: 64, cpuMs: 20_000 });
  await host.deploy("bomb", bomb);
  const beforeBytes = process.memoryUsage.rss();
  for (let count = 0; count < 8; count += 1) assertProblem(await host.call("bomb"), 502, "memory_exceeded");
  const grownMb = (process.memoryUsage.rss() - beforeBytes) / 2 ** 20;
  assert.ok(grownMb < 8 * 64, `the process grew by ${grownMb} MB: nothing was given back`);
});

test("A6: a limit that was lowered below a version's minimum refuses its calls", async () => {
  await host.deploy(
    "large",
    assemble(`(module (memory (export "memory") 32)
    (func (export "mayfly_handle") (param i32)))`),
  );
  await host.configure("large", { memoryMb: 1 });
  assertProblem(await host.call("large"), 502, "memory_exceeded");
  await host.configure("large", { memoryMb: 2 });
  assertProblem(await host.call("large"), 502, "bad_guest_output");
});

/** Recursion with frames of 16,000 locals, or into a host call. */
const frames = guest(
  "(if (i32.and (local.get $request) (i32.const 1)) (then (call $wide)) (else (call $edge)))",
  `(func $wide ${"(local i64 i64 i64 i64 i64 i64 i64 i64)".repeat(2_000)} (call $wide))
   (func $edge (call $log (i32.const 1) (i32.const 0) (i32.const 1)) (call $edge))`,
  `(import "mayfly" "log" (func $log (param i32 i32 i32)))`,
);
await host.configure("frames", { cpuMs: 5_000 });
await host.deploy("frames", frames);

test("A11, A12: deep recursion is guest_trapped, with large frames and into host calls too", async () => {
  await host.configure("puppet", { cpuMs: 5_000 });
  for (const body of ["", "a", "aa", "aaa"]) {
    assertProblem(await act("recurse"), 502, "guest_trapped");
    assertProblem(await host.call("frames", { body }), 502, "guest_trapped");
  }
});

test("A25: an uncaught exception is a trap that tells nothing of its payload", async () => {
  assertProblem(await act("throw"), 502, "guest_trapped");
  assert.ok((await host.logs("puppet")).some(({ message }) => message === "trap: uncaught exception"));
});

// A call that runs at once ends well, with its answer and its lines, or has never been.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { InlineRunner } from "../../host/worker/inline-runner.ts";
import { MemoryBudget } from "../../host/worker/memory-budget.ts";
import type { InstanceUse, ModuleSetup } from "../../host/worker/protocol.ts";
import { setupOf } from "../support/setups.ts";

const noRequest = new Uint8Array(0);

/** The clock stands still unless it is moved: what ends a guest is what it does. */
function runner(pagesMax = 100, now = () => 0) {
  const total = new Int32Array(1);
  const own = new Int32Array(1);
  const record: (number | null)[] = [];
  const runs = new InlineRunner({
    memory: new MemoryBudget(total, own, pagesMax),
    now,
    record: { begin: (versionId) => void record.push(versionId), end: () => void record.push(null) },
  });
  return { runs, record, held: (): number[] => [total[0] ?? -1, own[0] ?? -1] };
}

/** Counts its calls in its memory and answers the count as one byte; `before` and `after` it does more. */
const guest = (parts: { before?: string; after?: string; fields?: string; init?: string }): string => `(module
  (import "mayfly" "request_read" (func $read (param i32)))
  (import "mayfly" "response_write" (func $write (param i32 i32)))
  (import "mayfly" "log" (func $log (param i32 i32 i32)))
  (import "mayfly" "sleep" (func $sleep (param f64)))
  (import "mayfly" "fetch" (func $fetch (param i32 i32) (result i32)))
  (import "mayfly" "random" (func $random (param i32 i32)))
  (import "mayfly" "now" (func $now (result f64)))
  (memory (export "memory") 1) (data (i32.const 32) "line")
  ${parts.fields ?? ""}
  (func $say (call $log (i32.const 1) (i32.const 32) (i32.const 4)))
  ${parts.init === undefined ? "" : `(func (export "mayfly_init") ${parts.init})`}
  (func (export "mayfly_handle") (param $bytes i32)
    ${parts.before ?? ""}
    (i32.store8 (i32.const 8) (i32.add (i32.load8_u (i32.const 8)) (i32.const 1)))
    (call $write (i32.const 8) (i32.const 1))
    ${parts.after ?? ""}))`;

const answers = (runs: InlineRunner, setup: ModuleSetup, times = 3): (number | null)[] =>
  Array.from({ length: times }, () => runs.run(setup, noRequest)?.message[0] ?? null);

const uses: [InstanceUse, number[]][] = [
  ["new", [1, 1, 1]],
  ["reset", [1, 1, 1]],
  ["snapshot", [1, 1, 1]],
  ["reuse", [1, 2, 3]],
];
for (const [use, wanted] of uses) {
  test(`${use}: answers, in whatever way its instances are made`, () => {
    const { runs, held } = runner();
    assert.deepEqual(answers(runs, setupOf(guest({}), use)), wanted);
    assert.deepEqual(held(), [0, 0]);
  });
}

test("an answer comes with its lines in their order, its times, and memory of its own", () => {
  // It is read at the start, when the instance is there, when it has started, and at the end.
  let reading = 0;
  const { runs, record } = runner(100, () => [0, 0, 1, 4][reading++] ?? 4);
  const setup = setupOf(guest({ before: "(call $say)", after: "(call $say)" }));
  const first = runs.run(setup, noRequest);
  const second = runs.run(setup, noRequest);
  assert.deepEqual(
    first?.lines.map(({ message, level }) => [message, level]),
    [
      ["line", "info"],
      ["line", "info"],
    ],
  );
  assert.deepEqual([...(first?.message ?? [])], [1]);
  const third = runs.run(setup, noRequest);
  first?.message.fill(7);
  second?.message.fill(8);
  assert.deepEqual([first?.message[0], second?.message[0], third?.message[0]], [7, 8, 1]);
  assert.deepEqual(first?.timings, { instantiate: 1, run: 3, cpu: 4, pageMs: 4, hostCalls: 3 });
  assert.deepEqual(record, [1, null, 1, null, 1, null], "a crash in between names the version");
});

test("a request is read, and the result of a host call", () => {
  const { runs } = runner();
  const setup = setupOf(guest({ before: "(call $read (i32.const 8))" }));
  assert.deepEqual([...(runs.run(setup, Uint8Array.of(41))?.message ?? [])], [42]);
});

const ends: readonly (readonly [what: string, parts: Parameters<typeof guest>[0]])[] = [
  ["an endless loop", { before: "(loop (br 0))" }],
  ["an endless loop after its answer", { after: "(loop (br 0))" }],
  ["an endless loop in its initialisation", { init: "(loop (br 0))" }],
  ["recursion that fans out", { fields: "(func $fan (call $fan) (call $fan))", before: "(call $fan)" }],
  ["a trap", { before: "unreachable" }],
  ["a trap after its answer", { after: "unreachable" }],
  ["a trap in its initialisation", { init: "unreachable" }],
  ["no answer", { before: "return" }],
  ["a second answer", { after: "(call $write (i32.const 8) (i32.const 1))" }],
  [
    "a second answer whose refusal it catches",
    { after: "try (call $write (i32.const 8) (i32.const 1)) catch_all end" },
  ],
  [
    "a pointer that leaves the memory",
    { before: "(call $read (i32.const -1)) (call $log (i32.const 1) (i32.const -1) (i32.const 9))" },
  ],
  ["sleep", { before: "(call $sleep (f64.const 1))" }],
  ["sleep of no time", { before: "(call $sleep (f64.const 0))" }],
  ["sleep after its answer", { after: "(call $sleep (f64.const 1))" }],
  ["sleep whose end it catches", { after: "try (call $sleep (f64.const 1)) catch_all end" }],
  ["sleep in its initialisation", { init: "(call $sleep (f64.const 1))" }],
  ["fetch", { before: "(drop (call $fetch (i32.const 0) (i32.const 4)))" }],
  [
    "fetch whose end it catches",
    { after: "try (drop (call $fetch (i32.const 0) (i32.const 4))) catch_all end" },
  ],
  ["a memory that grows", { before: "(drop (memory.grow (i32.const 1)))" }],
  ["a memory that would not grow", { before: "(drop (memory.grow (i32.const 9999)))" }],
  ["a storm of host calls", { before: "(loop (drop (call $now)) (br 0))" }],
  [
    "a storm of host calls whose end it catches",
    { before: "(loop try (drop (call $now)) catch_all end (br 0))" },
  ],
  ["a storm of random bytes", { before: "(loop (call $random (i32.const 0) (i32.const 65536)) (br 0))" }],
  ["an active segment that leaves the memory", { fields: '(data (i32.const 65535) "ab")' }],
];
for (const [what, parts] of ends) {
  test(`never was: ${what}`, () => {
    const { runs, held, record } = runner();
    const good = setupOf(guest({}));
    for (const use of ["new", "reset", "reuse"] as const) {
      const setup = setupOf(guest({ ...parts, before: `(call $say) ${parts.before ?? ""}` }), use);
      assert.deepEqual(answers(runs, setup), [null, null, null]);
      assert.deepEqual(answers(runs, good), [1, 1, 1], "the next call of another");
    }
    assert.deepEqual(held(), [0, 0]);
    assert.deepEqual(record.slice(-2), [1, null]);
  });
}

test("a guest that is long only now and then finds nothing of those times", () => {
  const { runs } = runner();
  const setup = setupOf(
    guest({
      before: `(call $read (i32.const 16))
        (if (i32.load8_u (i32.const 16)) (then (memory.fill (i32.const 8) (i32.const 170) (i32.const 65528)) (loop (br 0))))`,
    }),
  );
  for (const how of [0, 1, 0, 1, 1, 0]) {
    assert.equal(runs.run(setup, Uint8Array.of(how))?.message[0] ?? null, how === 1 ? null : 1);
  }
});

test("never was: one that takes longer than the budget, at one of its next host calls", () => {
  let nowMs = 0;
  const slow = runner(100, () => (nowMs += 2));
  const quick = runner();
  const setup = setupOf(guest({ before: "(call $say)".repeat(5) }));
  assert.equal(slow.runs.run(setup, noRequest), null);
  assert.deepEqual(answers(quick.runs, setup), [1, 1, 1]);
});

test("a loop is no reason, nor a check now and then; one that is long enough for two is", () => {
  const { runs } = runner();
  const loop = (turns: number): string => `(local $n i32)
    (loop (br_if 0 (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const ${turns}))))`;
  assert.deepEqual(answers(runs, setupOf(guest({ before: loop(1_000) })), 200), Array(200).fill(1));
  assert.deepEqual(answers(runs, setupOf(guest({ before: loop(100_000) }))), [null, null, null]);
});

test("no room for its memory is for a thread to say", () => {
  const { runs, held } = runner(0);
  assert.deepEqual(answers(runs, setupOf(guest({}))), [null, null, null]);
  assert.deepEqual(held(), [0, 0]);
});

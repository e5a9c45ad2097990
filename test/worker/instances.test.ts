// Where a thread's instances come from, and that one which is used again holds nothing of a call: after
// whatever end, and when the versions are more than are kept.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { limits } from "../../host/limits.ts";
import { verdict } from "../../host/prepared-names.ts";
import { CallState } from "../../host/worker/call-state.ts";
import type { Guest, InstanceCall } from "../../host/worker/guest-instance.ts";
import { GuestLog } from "../../host/worker/guest-log.ts";
import { type InstanceBounds, Instances } from "../../host/worker/instances.ts";
import { type CachedModule, cachedModule } from "../../host/worker/module-cache.ts";
import { setupOf } from "../support/setups.ts";

const pageBytes = 65_536;
/** Of the counter: what lies at the end of its memory, and nothing of the zeros before. */
const imageBytes = 16_384;
const goOn = () => verdict.goOn;

/** Counts its calls in the memory and in a global of each type, and answers the sum; `more` is run after. */
const counter = (more = "", fields = ""): string => `(module
  (import "mayfly" "response_write" (func $write (param i32 i32)))
  (import "mayfly" "log" (func $log (param i32 i32 i32)))
  (memory (export "memory") 1)
  (global $a (mut i32) (i32.const 0)) (global $b (mut i64) (i64.const -9))
  (global $c (mut f32) (f32.const -0)) (global $d (mut f64) (f64.const 0.5))
  (data (i32.const 65532) "tail")
  ${fields}
  (func (export "mayfly_handle") (param i32)
    (i32.store (i32.const 8) (i32.add (i32.load (i32.const 8)) (i32.const 1)))
    (i32.store (i32.const 12) (global.get $a))
    (i64.store (i32.const 16) (global.get $b))
    (f32.store (i32.const 24) (global.get $c))
    (f64.store (i32.const 32) (global.get $d))
    (i32.store (i32.const 40) (i32.load (i32.const 65532)))
    (global.set $a (i32.const 7)) (global.set $b (i64.const 7))
    (global.set $c (f32.const 7)) (global.set $d (f64.const 7))
    (call $write (i32.const 8) (i32.const 36))
    (memory.fill (i32.const 0) (i32.const 170) (i32.const 65536))
    ${more}))`;

const load = (...guest: Parameters<typeof setupOf>): CachedModule => cachedModule(setupOf(...guest));

type Ran = { readonly answer: string; readonly instance: Guest; readonly started: boolean };

/** One call as a thread runs it. */
async function run(instances: Instances, module: CachedModule): Promise<Ran> {
  const lines: string[] = [];
  const state = new CallState(new Uint8Array(0), module.env, new GuestLog(([, , text]) => lines.push(text)));
  const call: InstanceCall = { state, check: goOn, pause: goOn, turn: goOn, grow: () => true };
  const { instance, started } = instances.take(module, call);
  let answered = false;
  let answer = "";
  try {
    if (!started) {
      await instance.start();
      instances.started(module, instance, call);
    }
    answered = (await instance.runEntry()) === null;
  } catch (error) {
    answer = `${String(error)} `;
  }
  state.phase = "ended";
  instances.give(module, instance, answered);
  answer += `${Buffer.from(state.answer ?? []).toString("hex")} ${lines.join()}`;
  return { answer, instance, started };
}

const fresh = "0100000000000000f7ffffffffffffff0000008000000000000000000000e03f7461696c ";

test("an instance that has answered is set back, memory and globals of every type, and runs again", async () => {
  const instances = new Instances();
  const module = load(counter());
  const first = await run(instances, module);
  assert.deepEqual([first.answer, first.started], [fresh, false]);
  const memory = new Uint8Array((first.instance.memory as WebAssembly.Memory).buffer);
  assert.equal(
    Buffer.from(memory.subarray(0, 65_532)).equals(Buffer.alloc(65_532)),
    true,
    "while it is idle",
  );
  assert.equal(Buffer.from(memory.subarray(65_532)).toString(), "tail");
  for (let count = 0; count < 3; count += 1) {
    const again = await run(instances, module);
    assert.deepEqual([again.answer, again.started], [fresh, true]);
    assert.equal(again.instance, first.instance);
  }
});

test("a module whose deploy did not choose it gets a new instance for each call", async () => {
  const instances = new Instances();
  const module = load(counter(), "new");
  const first = await run(instances, module);
  const second = await run(instances, module);
  assert.notEqual(second.instance, first.instance);
  assert.equal(second.instance.memory, first.instance.memory, "on the same memory, zeroed");
  assert.deepEqual([second.answer, second.started], [fresh, false]);
});

const ends: readonly (readonly [how: string, more: string, sameMemory: boolean])[] = [
  ["a trap", "unreachable", true],
  ["a fault that the guest did not see", "(call $write (i32.const 0) (i32.const 1))", true],
  ["a growth", "(drop (memory.grow (i32.const 1)))", false],
  ["a growth and a trap", "(drop (memory.grow (i32.const 1))) unreachable", false],
];

for (const [how, more, sameMemory] of ends) {
  test(`after ${how} the next call gets a new instance`, async () => {
    const instances = new Instances();
    const module = load(counter(more));
    const first = await run(instances, module);
    const second = await run(instances, module);
    assert.notEqual(second.instance, first.instance);
    assert.equal(second.instance.memory === first.instance.memory, sameMemory);
    assert.equal(second.started, false);
    assert.equal(second.answer, first.answer);
  });
}

test("a growth that was refused is forgotten with the rest", async () => {
  const instances = new Instances();
  const module = load(counter("(drop (memory.grow (i32.const 99)))"));
  const first = await run(instances, module);
  assert.equal(first.instance.growRefusal, null, "set back");
  assert.equal((await run(instances, module)).instance, first.instance);
});

test("a start function that makes a host call makes it for every call", async () => {
  const instances = new Instances();
  const fields =
    '(data (i32.const 100) "began") (func $s (call $log (i32.const 1) (i32.const 100) (i32.const 5))) (start $s)';
  const module = load(counter("", fields));
  for (let count = 0; count < 3; count += 1) {
    const { answer, started } = await run(instances, module);
    assert.deepEqual([answer, started], [`${fresh}began`, false]);
  }
});

test("a snapshot is taken after host calls too, which are not made again", async () => {
  const instances = new Instances();
  const fields = `(data (i32.const 100) "began")
    (func (export "mayfly_init") (global.set $a (i32.mul (global.get $a) (i32.const 3)))
      (call $log (i32.const 1) (i32.const 100) (i32.const 5)))
    (func (export "_initialize") (global.set $a (i32.add (global.get $a) (i32.const 2))))
    (func $s (global.set $a (i32.const 5))) (start $s)`;
  // (5 + 2) * 3: the start function first, then _initialize, then mayfly_init.
  const began = fresh.replace("0100000000000000", "0100000015000000");
  for (const [use, rows] of [
    [
      "snapshot",
      [
        ["began", false],
        ["", true],
        ["", true],
      ],
    ],
    [
      "reset",
      [
        ["began", false],
        ["began", false],
      ],
    ],
    [
      "new",
      [
        ["began", false],
        ["began", false],
      ],
    ],
  ] as const) {
    const module = load(counter("", fields), use);
    for (const [line, started] of rows) {
      assert.deepEqual(pick(await run(instances, module)), [`${began}${line}`, started], use);
    }
  }
});

test("what the start function leaves is part of the image, and the start function runs once", async () => {
  const instances = new Instances();
  const fields = `(func $s (global.set $a (i32.add (global.get $a) (i32.const 5)))
    (i32.store (i32.const 8) (i32.add (i32.load (i32.const 8)) (i32.const 2)))) (start $s)`;
  const module = load(counter("", fields));
  const began = fresh.replace("0100000000000000", "0300000005000000");
  for (const started of [false, true, true])
    assert.deepEqual(pick(await run(instances, module)), [began, started]);
});

test("a float that begins as a NaN with a payload keeps its bits: such an instance is made anew", async () => {
  const instances = new Instances();
  const module = load(counter("", "(global $nan (mut f32) (f32.const nan:0x200001))"));
  for (const started of [false, false])
    assert.deepEqual(pick(await run(instances, module)), [fresh, started]);
});

const pick = ({ answer, started }: Ran): [string, boolean] => [answer, started];

test("the versions not used for longest lose their instances, in number and in bytes", async () => {
  const rows: readonly InstanceBounds[] = [
    { versions: 2, bytes: 1_000_000 },
    { versions: 100, bytes: 2 * (pageBytes + imageBytes) + imageBytes },
  ];
  for (const bounds of rows) {
    const instances = new Instances(bounds);
    const [one, two, three] = [load(counter()), load(counter()), load(counter())];
    for (const module of [one, two]) await run(instances, module);
    assert.equal((await run(instances, one)).started, true);
    assert.equal((await run(instances, three)).started, false);
    assert.equal((await run(instances, one)).started, true, "used after the other one");
    assert.deepEqual(pick(await run(instances, two)), [fresh, false]);
  }
});

test("a memory that is given up for room is zeroed before another version gets it", async () => {
  const instances = new Instances({ versions: 1, bytes: 1_000_000 });
  const [one, two] = [load(counter()), load(counter(), "new")];
  const { instance } = await run(instances, one);
  await run(instances, load(counter()));
  const other = await run(instances, two);
  assert.equal(other.answer, fresh);
  assert.equal(other.instance.memory, instance.memory);
});

test("where it is asked for, an instance runs call after call as the last one left it, a bounded number", async () => {
  const instances = new Instances();
  const module = load(counter("(memory.fill (i32.const 0) (i32.const 0) (i32.const 65536))"), "reuse");
  const first = await run(instances, module);
  const second = await run(instances, module);
  assert.deepEqual([second.instance, second.started], [first.instance, true]);
  assert.equal(second.answer, "010000000700000007000000000000000000e040000000000000000000001c4000000000 ");
  for (let count = 2; count < limits.instanceUsesMax; count += 1) {
    assert.equal((await run(instances, module)).instance, first.instance, String(count));
  }
  const next = await run(instances, module);
  assert.notEqual(next.instance, first.instance);
  assert.deepEqual(pick(next), [fresh, false]);
});

for (const [how, more] of ends.slice(0, 2)) {
  test(`after ${how} an instance is not used as it is either`, async () => {
    const instances = new Instances();
    const module = load(counter(more), "reuse");
    const first = await run(instances, module);
    const second = await run(instances, module);
    assert.notEqual(second.instance, first.instance);
    assert.equal(second.answer, first.answer);
  });
}

test("an instance that is used as it is may grow, and counts with what it has grown to", async () => {
  const instances = new Instances({ versions: 9, bytes: 2 * pageBytes });
  const module = load(counter("(drop (memory.grow (i32.const 1)))"), "reuse");
  const first = await run(instances, module);
  assert.equal((await run(instances, module)).instance, first.instance, "two pages");
  assert.notEqual((await run(instances, module)).instance, first.instance, "three");
});

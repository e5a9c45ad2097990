// Components with `isolation: reuse`: what of the host an instance has from call to call, what its language's
// runtime does in between, and what becomes of one that is made for a single call.

import { strict as assert } from "node:assert";
import { after, test } from "node:test";
import { component, handler, withPostReturn } from "../support/components.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";

const host = await TestHost.start({ minWorkers: 1, maxWorkers: 1 });
after(() => host.close());

/** Answers with one byte, how often its instance has been tidied up. */
const tidied = (post: string): Buffer =>
  withPostReturn(
    component(
      handler(
        `(i32.store8 (i32.const 1024) (global.get $tidied))
         (call $answer (local.get $out) (i32.const 1024) (i32.const 1))`,
        `(global $tidied (mut i32) (i32.const 0)) (func (export "tidy") ${post})`,
      ),
    ),
    "tidy",
  );
const tidying = tidied("(global.set $tidied (i32.add (global.get $tidied) (i32.const 1)))");

async function firstBytes(name: string, calls: number): Promise<number[]> {
  const found: number[] = [];
  for (let call = 0; call < calls; call += 1) {
    const answer = await host.call(name);
    found.push(answer.status === 200 ? (answer.bytes[0] ?? -1) : answer.status);
  }
  return found;
}

test("what follows the handler is run after each call, and a trap in it is the call's", async () => {
  await host.configure("tidy", { isolation: "reuse" });
  await host.deploy("tidy", tidying);
  assert.deepEqual(await firstBytes("tidy", 3), [0, 1, 2]);
  await host.configure("tidy", { isolation: "fresh" });
  assert.deepEqual(await firstBytes("tidy", 3), [0, 0, 0]);
  await host.deploy("tidy", tidied("unreachable"));
  for (const _call of [1, 2]) assertProblem(await host.call("tidy"), 502, "guest_trapped");
  await host.deploy("tidy", tidying);
  assert.deepEqual(await firstBytes("tidy", 1), [0]);
});

test("what follows the handler has to be () -> () and an export", async () => {
  const other = component(handler("", `(func (export "tidy") (param i32))`));
  assertProblem(await host.upload("other", withPostReturn(other, "tidy")), 422, "invalid_module");
  assertProblem(await host.upload("other", withPostReturn(other, "nobody")), 422, "invalid_module");
});

/** Keeps its standard output and its first request; the first byte of the body says what it does. */
const keeping = component(
  handler(
    `(if (i32.eqz (global.get $stdout)) (then
       (global.set $stdout (call $get_stdout)) (global.set $old (local.get $request))))
     (call $consume (local.get $request) (i32.const 512))
     (call $stream (i32.load (i32.const 516)) (i32.const 512))
     (call $read (i32.load (i32.const 516)) (i64.const 64) (i32.const 512))
     (local.set $a (i32.load8_u (i32.load (i32.const 516))))
     (call $write (global.get $stdout) (i32.load (i32.const 516)) (i32.load (i32.const 520)) (i32.const 512))
     (if (i32.eq (local.get $a) (i32.const 117)) (then (call $consume (global.get $old) (i32.const 512))))
     (if (i32.eq (local.get $a) (i32.const 100)) (then (call $drop_request (global.get $old))))
     (call $answer (local.get $out) (i32.const 1024) (i32.const 4))`,
    `(data (i32.const 1024) "kept") (global $stdout (mut i32) (i32.const 0)) (global $old (mut i32) (i32.const 0))`,
    `(import "wasi:cli/stdout@0.2.12" "get-stdout" (func $get_stdout (result i32)))`,
  ),
);

test("an instance keeps its handles: streams to the log serve the call that writes, and what was of a call can be dropped alone", async () => {
  await host.configure("keeping", { isolation: "reuse" });
  await host.deploy("keeping", keeping);
  const answers = [];
  for (const body of ["one", "two", "drop the first request"]) {
    answers.push(await host.call("keeping", { body }));
    assert.equal(answers.at(-1)?.text, "kept", body);
  }
  const ids = answers.map((answer) => answer.header("x-mayfly-request-id"));
  const lines = (await host.logs("keeping")).map(({ requestId, message }) => [requestId, message]);
  assert.deepEqual(lines, [
    [ids[0], "one"],
    [ids[1], "two"],
    [ids[2], "drop the first request"],
  ]);
  // Its instance was thrown away, and the next one keeps its own.
  assertProblem(await host.call("keeping", { body: "drop it twice" }), 502, "bad_guest_output");
  assert.equal((await host.call("keeping", { body: "one" })).text, "kept");
  assertProblem(await host.call("keeping", { body: "use the first request" }), 502, "bad_guest_output");
  const { message } = (await host.logs("keeping")).at(-1) ?? assert.fail();
  assert.match(message, /a handle is to a resource of a call that has ended/);
  assert.equal((await host.call("keeping", { body: "one" })).text, "kept");
});

test("an instance that hoards handles from call to call is replaced before its table is full", async () => {
  const hoarder = handler(
    `(global.set $calls (i32.add (global.get $calls) (i32.const 1)))
     (loop $again (drop (call $fields)) (local.set $a (i32.add (local.get $a) (i32.const 1)))
       (br_if $again (i32.lt_u (local.get $a) (i32.const 3000))))
     (i32.store8 (i32.const 1024) (global.get $calls))
     (call $answer (local.get $out) (i32.const 1024) (i32.const 1))`,
    "(global $calls (mut i32) (i32.const 0))",
  );
  await host.configure("hoarder", { isolation: "reuse" });
  await host.deploy("hoarder", component(hoarder));
  assert.deepEqual(await firstBytes("hoarder", 5), [1, 2, 1, 2, 1]);
});

test("an instance for which the host keeps much from call to call is replaced", async () => {
  const keeper = handler(
    `(global.set $calls (i32.add (global.get $calls) (i32.const 1)))
     (memory.fill (i32.const 196608) (i32.const 97) (i32.const 40000))
     (local.set $a (call $fields))
     (call $append (local.get $a) (i32.const 196608) (i32.const 4)
       (i32.const 196608) (i32.const 40000) (i32.const 512))
     (i32.store8 (i32.const 1024) (global.get $calls))
     (call $answer (local.get $out) (i32.const 1024) (i32.const 1))`,
    "(global $calls (mut i32) (i32.const 0))",
  );
  await host.configure("keeper", { isolation: "reuse" });
  await host.deploy("keeper", component(keeper));
  assert.deepEqual(await firstBytes("keeper", 5), [1, 2, 1, 2, 1]);
});

test("an instance that takes one call alone is told so, and after three of them each call has its own", async () => {
  const once = handler(
    `(if (global.get $called) (then (return)))
     (global.set $called (i32.const 1))
     (call $answer (local.get $out) (i32.const 1024) (i32.const 1))`,
    "(global $called (mut i32) (i32.const 0))",
  );
  await host.configure("once", { isolation: "reuse" });
  await host.deploy("once", component(once));
  assert.deepEqual(await firstBytes("once", 10), [0, 502, 0, 502, 0, 502, 0, 0, 0, 0]);
  const reasons = (await host.logs("once")).map(({ message }) => message);
  assert.equal(reasons.length, 3);
  for (const reason of reasons)
    assert.match(reason, /gave no answer to call 2 of its instance.*isolation "fresh"/);
});

test("a handle that an instance got while it started is there in each of its calls, whatever its isolation", async () => {
  const starting = component(
    handler(
      `(call $write (global.get $stdout) (i32.const 1024) (i32.const 4) (i32.const 512))
       (call $answer (local.get $out) (i32.const 1024) (i32.const 4))`,
      `(data (i32.const 1024) "text") (global $stdout (mut i32) (i32.const 0))
       (func $init (global.set $stdout (call $get_stdout))) (start $init)`,
      `(import "wasi:cli/stdout@0.2.12" "get-stdout" (func $get_stdout (result i32)))`,
    ),
  );
  for (const isolation of ["fresh", "snapshot", "reuse", "dedicated"]) {
    await host.configure("starting", { isolation });
    await host.deploy("starting", starting);
    for (let call = 0; call < 4; call += 1) {
      assert.equal((await host.call("starting")).text, "text", `${isolation}, call ${call}`);
    }
  }
});

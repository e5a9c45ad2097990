// What a component has the host keep for it beside its own memory, and what it hands the host at once: each
// is bounded, whatever its handles, lists and pointers say, and its neighbours are unharmed.

import { strict as assert } from "node:assert";
import { after, test } from "node:test";
import { limits } from "../../host/limits.ts";
import { component, handler } from "../support/components.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";

const host = await TestHost.start({ minWorkers: 1, maxWorkers: 1 });
after(() => host.close());
await host.deploy(
  "peer",
  component(handler("(call $answer (local.get $out) (i32.const 1024) (i32.const 1))")),
);

const http = "wasi:http/types@0.2.12";
const fromList = `(import "${http}" "[static]fields.from-list" (func $from_list (param i32 i32 i32)))`;
const open = `(import "wasi:keyvalue/store@0.2.0-draft2" "open" (func $open (param i32 i32 i32)))`;
const setMany = `(import "wasi:keyvalue/batch@0.2.0-draft2" "set-many"
  (func $set_many (param i32 i32 i32 i32)))`;

const random = `(import "wasi:random/random@0.2.12" "get-random-bytes" (func $random (param i64 i32)))`;

/** The last 30,000 bytes of the memory are letters. */
const letters = "(memory.fill (i32.const 230000) (i32.const 97) (i32.const 30000))";
const letterRange = "(i32.const 230000) (i32.const 30000)";

/** A list of 9,000 entries at 65,536, whose names and values are all the same letters. */
const longList = `(local.set $a (i32.const 65536))
  (loop $more
    (i64.store (local.get $a) (i64.const ${230_000n | (30_000n << 32n)}))
    (i64.store offset=8 (local.get $a) (i64.const ${230_000n | (30_000n << 32n)}))
    (br_if $more (i32.lt_u (local.tee $a (i32.add (local.get $a) (i32.const 16))) (i32.const 209536))))`;

const tooMuch = /the host would keep more than \d+ bytes for it/;

type Hoard = {
  readonly name: string;
  readonly body: string;
  readonly imports?: string;
  readonly code: string;
  readonly reason: RegExp;
};

const hoards: readonly Hoard[] = [
  {
    name: "appends to fields for ever",
    body: `(local.set $a (call $fields))
      (loop (call $append (local.get $a) (i32.const 230000) (i32.const 4) ${letterRange} (i32.const 512)) (br 0))`,
    code: "guest_trapped",
    reason: tooMuch,
  },
  {
    name: "copies the fields of its request for ever",
    body: "(loop (drop (call $headers (local.get $request))) (br 0))",
    code: "guest_trapped",
    reason: /more than \d+ resources at one time/,
  },
  {
    name: "writes bodies that it never sends",
    body: `(loop $bodies
      (call $body (call $response (call $fields)) (i32.const 512))
      (call $write_stream (i32.load (i32.const 516)) (i32.const 512))
      (local.set $a (i32.load (i32.const 516)))
      (local.set $b (i32.const 40))
      (loop $writes (call $write (local.get $a) ${letterRange} (i32.const 512))
        (br_if $writes (local.tee $b (i32.sub (local.get $b) (i32.const 1)))))
      (br $bodies))`,
    code: "guest_trapped",
    reason: tooMuch,
  },
  {
    name: "opens stores by long names",
    body: `(loop (call $open ${letterRange} (i32.const 512)) (br 0))`,
    imports: open,
    code: "guest_trapped",
    reason: tooMuch,
  },
  {
    name: "hands over a list whose items are all the same long string",
    body: `${longList} (call $from_list (i32.const 65536) (i32.const 9000) (i32.const 512))`,
    imports: fromList,
    code: "bad_guest_output",
    reason: /a list has more than \d+ bytes/,
  },
  {
    name: "stores many values that are all the same bytes",
    body: `(call $open (i32.const 230000) (i32.const 4) (i32.const 512)) ${longList}
      (call $set_many (i32.load (i32.const 516)) (i32.const 65536) (i32.const 9000) (i32.const 512))`,
    imports: open + setMany,
    code: "bad_guest_output",
    reason: /a list has more than \d+ bytes/,
  },
  {
    name: "asks for more random bytes than one call gives",
    body: `(call $random (i64.const ${limits.systemRandomBytesMax + 1}) (i32.const 512))`,
    imports: random,
    code: "bad_guest_output",
    reason: /it asks \d+ random bytes, limit is \d+/,
  },
];

for (const [index, { name, body, imports = "", code, reason }] of hoards.entries()) {
  test(`a component that ${name} is ${code}`, async () => {
    const function_ = `hoard-${index}`;
    await host.configure(function_, { cpuMs: 10_000, timeoutMs: 20_000 });
    await host.deploy(function_, component(handler(`${letters} ${body}`, "", imports)));
    assertProblem(await host.call(function_), 502, code);
    assert.match((await host.logs(function_)).at(-1)?.message ?? "", reason);
    assert.equal((await host.call("peer")).status, 200);
  });
}

test("a component gets as many random bytes as a library may want at once", async () => {
  const asking = `(call $random (i64.const 100000) (i32.const 512))
    (call $answer (local.get $out) (i32.load (i32.const 512)) (i32.load (i32.const 516)))`;
  await host.deploy("random", component(handler(asking, "", random)));
  assert.equal((await host.call("random")).bytes.byteLength, 100_000);
});

test("what a component lets go of does not count: it makes and drops more than may be kept", async () => {
  const drops = handler(
    `${letters} (local.set $b (i32.const 3000))
     (loop $more
       (local.set $a (call $fields))
       (call $append (local.get $a) (i32.const 230000) (i32.const 4) ${letterRange} (i32.const 512))
       (call $drop_fields (local.get $a))
       (br_if $more (local.tee $b (i32.sub (local.get $b) (i32.const 1)))))
     (call $answer (local.get $out) (i32.const 230000) (i32.const 3))`,
  );
  await host.configure("drops", { cpuMs: 10_000, timeoutMs: 20_000 });
  await host.deploy("drops", component(drops));
  assert.equal((await host.call("drops")).text, "aaa");
});

test("an allocator that calls the host is ended: the host is waiting for it", async () => {
  const calls = handler(
    "(call $environment (i32.const 512))",
    "",
    `(import "wasi:cli/environment@0.2.12" "get-environment" (func $environment (param i32)))`,
  ).replace("(local.set $at (i32.and", "(drop (call $fields)) (local.set $at (i32.and");
  await host.configure("allocator", { env: { KEY: "value" } });
  await host.deploy("allocator", component(calls));
  assertProblem(await host.call("allocator"), 502, "bad_guest_output");
  assert.match(
    (await host.logs("allocator")).at(-1)?.message ?? "",
    /the component's allocator called the host/,
  );
});

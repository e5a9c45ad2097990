// docs/threat-model.md D1, D2, D4, D12: nothing of one call, function or client is visible to another.

import { strict as assert } from "node:assert";
import { createHash, randomBytes } from "node:crypto";
import { after, test } from "node:test";
import { assemble, echo, guest, literal, mirror, order, puppet } from "../support/guests.ts";
import { responseMessage } from "../support/messages.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";

const host = await TestHost.start({ minWorkers: 1, maxWorkers: 1 });
after(() => host.close());

const soak = process.env["MAYFLY_TEST_SOAK"] === "1";

/**
 * Answers with a counter that it keeps in memory, in a global and in a table, and with whether any byte
 * of its pages is not as it was at first; then it writes all over them, and does what the body says.
 * Without `setsTable` its instances can be set back, and are when that is cheaper.
 */
const stateful = (initialPages: number, setsTable = true): Uint8Array =>
  assemble(`(module
    (import "mayfly" "request_read" (func $read (param i32)))
    (import "mayfly" "response_write" (func $write (param i32 i32)))
    (memory (export "memory") ${initialPages})
    (global $count (mut i32) (i32.const 0))
    (table $table 4 funcref)
    (elem declare func $noop)
    (data (i32.const 0) "${literal(responseMessage({ body: "...." }))}")
    (func $noop)
    (func (export "mayfly_handle") (param $bytes i32) (local $at i32) (local $dirty i32) (local $order i32)
      (local.set $at (i32.const 64))
      (loop
        (local.set $dirty (i32.or (local.get $dirty) (i32.load (local.get $at))))
        (local.set $at (i32.add (local.get $at) (i32.const 4)))
        (br_if 0 (i32.lt_u (local.get $at) (i32.const ${initialPages * 65_536}))))
      (call $read (i32.const 64))
      (local.set $order (i32.load8_u (i32.add (i32.const 68) (i32.load (i32.const 64)))))
      (memory.fill (i32.const 64) (i32.const 170) (i32.const ${initialPages * 65_536 - 64}))
      (i32.store8 (i32.const 12) (i32.add (i32.const 48) (i32.ne (local.get $dirty) (i32.const 0))))
      (i32.store8 (i32.const 13) (i32.add (i32.const 48) (global.get $count)))
      (i32.store8 (i32.const 14) (i32.add (i32.const 48) (i32.eqz (ref.is_null (table.get $table (i32.const 1))))))
      (i32.store8 (i32.const 15) (i32.add (i32.const 48) (i32.ne (memory.size) (i32.const ${initialPages}))))
      (global.set $count (i32.const 1))
      ${setsTable ? "(table.set $table (i32.const 1) (ref.func $noop))" : ""}
      (call $write (i32.const 0) (i32.const 16))
      (i32.store8 (i32.const 12) (i32.const 33))
      (if (i32.eq (local.get $order) (i32.const 103)) (then (drop (memory.grow (i32.const 5)))))
      (if (i32.eq (local.get $order) (i32.const 120)) (then (drop (memory.grow (i32.const 500))) unreachable))
      (if (i32.eq (local.get $order) (i32.const 116)) (then unreachable))
      (if (i32.eq (local.get $order) (i32.const 108)) (then (loop (br 0))))))`);

const ways = [
  "return",
  "return",
  "trap",
  "grow",
  "loop",
  "return",
  "xceed",
  "return",
  "grow",
  "trap",
  "return",
];

for (const pages of [1, 16, 20]) {
  for (const setsTable of [true, false]) {
    const state = setsTable ? "globals or tables" : "or globals";
    test(`D1: nothing is left of an earlier call in ${pages} pages, ${state}`, async () => {
      const name = `stateful-${pages}-${setsTable}`;
      await host.configure(name, { cpuMs: 200, memoryMb: 4 });
      await host.deploy(name, stateful(pages, setsTable));
      const { fresh } = (await host.ask("GET", `/v1/functions/${name}`)).json() as { fresh: { by: string } };
      if (setsTable) assert.equal(fresh.by, "new");
      else if (pages === 1) assert.equal(fresh.by, "reset");
      for (const how of ways) {
        const answer = await host.call(name, { body: how });
        if (how === "trap") assertProblem(answer, 502, "guest_trapped");
        else if (how === "loop") assertProblem(answer, 504, "cpu_exceeded");
        else if (how === "xceed") assertProblem(answer, 502, "memory_exceeded");
        else assert.equal(answer.text, "0000", how);
      }
    });
  }
}

test("D1: functions and versions with memories of one size see nothing of one another", async () => {
  await host.deploy("tenant-a", stateful(2));
  const other = Buffer.concat([stateful(2), Buffer.from([0, 3, 1, 0x61, 1])]);
  await host.deploy("tenant-b", other);
  await host.deploy("tenant-a", other);
  for (let count = 0; count < 10; count += 1) {
    for (const name of ["tenant-a", "tenant-b", "tenant-a@1", "tenant-a@2"]) {
      assert.equal((await host.call(name, { body: "return" })).text, "0000", name);
    }
  }
});

test("D2: mixed calls get each its own canary and no other's", async () => {
  await host.deploy("echo", echo());
  await host.deploy("mirror", mirror());
  await host.deploy("puppet", puppet());
  const seed = randomBytes(4).toString("hex");
  console.log(`seed ${seed}`);
  const canary = (at: number): string => `~${createHash("sha256").update(`${seed}:${at}`).digest("hex")}~`;
  const size = (at: number): number =>
    [1, 10, 300, 1_100][Number.parseInt(canary(at).slice(1, 3), 16) % 4] ?? 1;
  const one = async (at: number): Promise<void> => {
    const body = canary(at).repeat(size(at));
    const kind = at % 4;
    if (kind === 0) assert.equal((await host.call("echo", { body })).text, body);
    else if (kind === 1) {
      const seen = (await host.call(`mirror/${canary(at)}`, { headers: { "x-canary": canary(at) }, body }))
        .text;
      const found = new Set(seen.match(/~[0-9a-f]{64}~/g));
      assert.deepEqual([...found], [canary(at)]);
    } else if (kind === 2) {
      const answer = await host.call("puppet", { body: order("trap", 0, 0, body) });
      assert.doesNotMatch(answer.text, /~[0-9a-f]{64}/);
    } else assert.deepEqual((await host.call(canary(at), { body })).status, 400);
  };
  const total = soak ? 10_000 : 200;
  for (let at = 0; at < total; at += 20)
    await Promise.all(Array.from({ length: 20 }, (_, beside) => one(at + beside)));
});

test("D2: result_read gives nothing before a call of this guest's own has left a result", async () => {
  const message = responseMessage({ body: "-------------" });
  const imports = `(import "mayfly" "response_write" (func $write (param i32 i32)))
    (import "mayfly" "env_get" (func $env (param i32 i32) (result i32)))
    (import "mayfly" "result_read" (func $result (param i32)))`;
  const answer = `(call $result (i32.const 12)) (call $write (i32.const 0) (i32.const ${message.length}))`;
  const data = `(data (i32.const 0) "${literal(message)}") (data (i32.const 100) "SECRET")`;
  await host.configure("knows", { env: { SECRET: "canary-secret" } });
  await host.deploy(
    "knows",
    guest(`(drop (call $env (i32.const 100) (i32.const 6))) ${answer}`, data, imports),
  );
  await host.deploy(
    "asks",
    guest(
      `(if (i32.ne (call $env (i32.const 100) (i32.const 6)) (i32.const -1)) (then unreachable)) ${answer}`,
      data,
      imports,
    ),
  );
  assert.equal((await host.call("knows")).text, "canary-secret");
  assert.equal((await host.call("asks")).text, "-------------");
});

test("D12: a variable's value shows up in no error, log line of the host, list or metric", async () => {
  const secret = `canary-${randomBytes(8).toString("hex")}`;
  await host.configure("puppet", { env: { SECRET: secret }, cpuMs: 30 });
  const answers = [];
  for (const what of ["trap", "throw", "recurse", "loop", "write_twice", "nothing"] as const) {
    answers.push((await host.call("puppet", { body: order(what) })).text);
  }
  await host.upload("puppet", guest("", "(func $s unreachable) (start $s)"));
  for (const path of [
    "/v1/functions/puppet/logs",
    "/v1/functions/puppet/versions",
    "/metrics",
    "/openapi.json",
  ]) {
    answers.push((await host.ask("GET", path)).text);
  }
  for (const text of [...answers, ...host.faults]) assert.ok(!text.includes(secret), text);
});

test("D1: random bytes differ from call to call", async () => {
  const body = `(call $random (i32.const 12) (i32.const 16)) (call $write (i32.const 0) (i32.const 28))`;
  const data = `(data (i32.const 0) "${literal(responseMessage())}")`;
  const imports = `(import "mayfly" "response_write" (func $write (param i32 i32)))
    (import "mayfly" "random" (func $random (param i32 i32)))`;
  await host.deploy("random", guest(body, data, imports));
  const seen = new Set<string>();
  for (let count = 0; count < 20; count += 1) seen.add((await host.call("random")).bytes.toString("hex"));
  assert.equal(seen.size, 20);
});

test("D4: the guest's clock steps in whole milliseconds", async () => {
  const message = responseMessage({ body: "12345678" });
  const body = `(loop (f64.store (i32.const 12) (call $now))
      (if (f64.ne (f64.load (i32.const 12)) (f64.floor (f64.load (i32.const 12)))) (then unreachable))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br_if 0 (i32.lt_u (local.get $n) (i32.const 90000))))
    (call $write (i32.const 0) (i32.const ${message.length}))`;
  const imports = `(import "mayfly" "response_write" (func $write (param i32 i32)))
    (import "mayfly" "now" (func $now (result f64)))`;
  const data = `(data (i32.const 0) "${literal(message)}")`;
  await host.deploy("clock", guest(`(local $n i32) ${body}`, data, imports));
  const answer = await host.call("clock");
  assert.equal(answer.status, 200, answer.text);
  assert.ok(Math.abs(answer.bytes.readDoubleLE(0) - Date.now()) < 60_000);
});

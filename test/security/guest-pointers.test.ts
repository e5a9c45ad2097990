// docs/threat-model.md C1-C5, C8, C12: pointers and lengths from a guest. Whatever they are, the call ends by the
// rules or goes on, the host reads nothing outside the guest's memory, and the next call is answered.

import { strict as assert } from "node:assert";
import { after, test } from "node:test";
import { limits } from "../../host/limits.ts";
import {
  type Act,
  actNumber,
  assemble,
  guest,
  literal,
  order,
  orderAnswer,
  puppet,
} from "../support/guests.ts";
import type { Answer } from "../support/http-client.ts";
import { responseMessage } from "../support/messages.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";

const host = await TestHost.start();
after(() => host.close());
await host.deploy("puppet", puppet());
await host.configure("puppet", { env: { NAME: "value" } });

const size = 3 * 65_536;
const edges = [0, 1, 4, size - 1, size, size + 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 4, 2 ** 32 - 1];
const act = (...parts: Parameters<typeof order>): Promise<Answer> =>
  host.call("puppet", { body: order(...parts) });
const inside = (pointer: number, length: number): boolean => pointer + length <= size;

async function ends(answer: Promise<Answer>, status: number, what: string): Promise<void> {
  const { status: found, text } = await answer;
  assert.equal(found, status, `${what}: ${text}`);
  if (status !== 200) assert.equal(JSON.parse(text).code, "bad_guest_output", what);
}

for (const name of ["log", "env_get", "random"] as const satisfies Act[]) {
  test(`C1, C2: ${name} with every pair of edges stays inside the memory`, async () => {
    for (const pointer of edges) {
      for (const length of edges) {
        const tooLong = name === "random" && length > limits.randomBytesMax;
        // Random bytes over the start of the memory would spoil the answer that lies there.
        if (name === "random" && inside(pointer, length) && pointer < 64 && length > 0) continue;
        const status = inside(pointer, length) && !tooLong ? 200 : 502;
        await ends(act(name, pointer, length), status, `${name}(${pointer}, ${length})`);
      }
    }
  });
}

test("C1, C3: response_write with every pair of edges answers or is bad_guest_output", async () => {
  const whole = responseMessage({ body: "ok" }).length;
  for (const pointer of edges) {
    for (const length of [...edges, whole]) {
      const status = pointer === 0 && length === whole ? 200 : 502;
      if (pointer === 0 && inside(0, length) && length >= 12) {
        assert.equal((await act("response_write", pointer, length)).status, 200);
      } else await ends(act("response_write", pointer, length), status, `${pointer}, ${length}`);
    }
  }
});

test("C1: request_read, result_read, console.log, trace and abort take any pointer", async () => {
  for (const pointer of edges) {
    const low = pointer < 64;
    if (!low) {
      await ends(act("request_read", pointer), pointer < size - 300 ? 200 : 502, `request_read ${pointer}`);
      await ends(act("result_read", pointer), pointer <= size ? 200 : 502, `result_read ${pointer}`);
    }
    for (const name of ["console.log", "trace"] as const) {
      const { status, text } = await act(name, pointer, pointer);
      assert.ok(
        status === 200 || (status === 502 && text.includes("bad_guest_output")),
        `${name} ${pointer}: ${text}`,
      );
    }
    const aborted = await act("abort", pointer, pointer);
    assert.equal(aborted.status, 502);
  }
});

test("C2: an AssemblyScript string whose length leaves the memory is bad_guest_output", async () => {
  // The order's own words, read as a string header: 4 bytes before the pointer lies a length.
  const bytes = guest(
    "(i32.store (i32.const 100) (i32.const -2)) (call $log (i32.const 104))",
    "",
    `(import "env" "console.log" (func $log (param i32)))`,
  );
  await host.deploy("long-string", bytes);
  assertProblem(await host.call("long-string"), 502, "bad_guest_output");
});

test("C2: a length that leaves the memory is bad_guest_output, also where the host would cut the text short", async () => {
  const logs = (length: number) =>
    assemble(`(module (import "mayfly" "log" (func $log (param i32 i32 i32)))
      (import "env" "console.log" (func $console (param i32)))
      (import "mayfly" "env_get" (func $env (param i32 i32) (result i32)))
      (memory (export "memory") 32)
      (func (export "mayfly_handle") (param $bytes i32)
        (if (i32.eq (i32.rem_u (local.get $bytes) (i32.const 3)) (i32.const 0))
          (then (call $log (i32.const 1) (i32.const 16) (i32.const ${length}))))
        (if (i32.eq (i32.rem_u (local.get $bytes) (i32.const 3)) (i32.const 1))
          (then (drop (call $env (i32.const 16) (i32.const ${length})))))
        (if (i32.eq (i32.rem_u (local.get $bytes) (i32.const 3)) (i32.const 2))
          (then
            (i32.store (i32.const 12) (i32.const ${length & ~1}))
            (call $console (i32.const 16))))))`);
  for (const length of [32 * 65_536 - 14, -1]) {
    await host.deploy("long", logs(length));
    for (const body of ["", "a", "ab"])
      assertProblem(await host.call("long", { body }), 502, "bad_guest_output");
    const lines = await host.logs("long");
    assert.equal(lines.filter(({ message }) => message.includes("a pointer leaves the memory")).length, 3);
    await host.ask("DELETE", "/v1/functions/long");
  }
});

test("C12, H10: a host call's error that the guest swallows still ends the call", async () => {
  for (const [name, pointer] of [
    ["random", 0],
    ["log", 16],
    ["response_write", 0],
  ] as const) {
    assertProblem(await act("swallow", actNumber(name), pointer), 502, "bad_guest_output");
  }
  const message = responseMessage({ body: "survived" });
  const bytes = guest(
    `(try (do (call $abort (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))) (catch_all))
     (try (do (call $write (i32.const 0) (i32.const ${message.length}))) (catch_all))`,
    `(data (i32.const 0) "${literal(message)}")`,
    `(import "env" "abort" (func $abort (param i32 i32 i32 i32)))
     (import "mayfly" "response_write" (func $write (param i32 i32)))`,
  );
  await host.deploy("survivor", bytes);
  assertProblem(await host.call("survivor"), 502, "guest_trapped");
});

test("C5: a memory that grew between two host calls is seen anew by the second", async () => {
  const message = responseMessage({ body: "grown" });
  const bytes = guest(
    `(drop (memory.grow (i32.const 3)))
     (memory.copy (i32.const 200000) (i32.const 0) (i32.const ${message.length}))
     (call $write (i32.const 200000) (i32.const ${message.length}))`,
    `(data (i32.const 0) "${literal(message)}")`,
    `(import "mayfly" "response_write" (func $write (param i32 i32)))`,
  );
  await host.deploy("grown", bytes);
  assert.equal((await host.call("grown")).text, "grown");
});

test("C8: text that is not UTF-8 or holds a BOM or NUL neither breaks the log nor finds a variable", async () => {
  const message = responseMessage({ body: "ok" });
  const texts = ["\xff\xfe", "\xed\xa0\x80", "\xef\xbb\xbfNAME", "NAME\0", "\xc0\x80", "\xf0\x9f\x98"];
  const data = Buffer.from(texts.join(""), "latin1");
  const calls = texts.map((text, at) => {
    const start = 100 + texts.slice(0, at).join("").length;
    const range = `(i32.const ${start}) (i32.const ${text.length})`;
    return `(call $log (i32.const 1) ${range}) (if (i32.ne (call $env ${range}) (i32.const -1)) (then unreachable))`;
  });
  const bytes = guest(
    `${calls.join("")} (call $write (i32.const 0) (i32.const ${message.length}))`,
    `(data (i32.const 0) "${literal(message)}") (data (i32.const 100) "${literal(data)}")`,
    `(import "mayfly" "response_write" (func $write (param i32 i32)))
     (import "mayfly" "log" (func $log (param i32 i32 i32)))
     (import "mayfly" "env_get" (func $env (param i32 i32) (result i32)))`,
  );
  await host.configure("texts", { env: { NAME: "x" } });
  await host.deploy("texts", bytes);
  assert.equal((await host.call("texts")).text, "ok");
  assert.equal((await host.logs("texts")).length, texts.length);
});

test("C6: numbers that are no numbers are taken by trace and by the entry's own memory", async () => {
  assert.equal((await act("trace", 0, 5)).status, 200);
  assert.equal((await act("trace", 0, 0xffff_ffff)).status, 200);
  assert.equal((await act("trace", 0, 1_000_000)).status, 200);
  const lines = (await host.logs("puppet")).filter(({ message }) => message.startsWith("trace:"));
  assert.match(lines.at(-1)?.message ?? "", /1 NaN Infinity 0 5$/);
});

test("C11: a storm of host calls is ended by its count", async () => {
  await host.configure("puppet", { cpuMs: 900_000 });
  const answer = await act("random_fills");
  assertProblem(answer, 502, "guest_trapped");
  assert.ok((await host.logs("puppet")).at(-1)?.message.includes("host calls"));
});

test("C3: a level of the log that is none is info, and an answer of the smallest size is taken", async () => {
  const bytes = guest(
    `(call $log (i32.const -1) (i32.const 0) (i32.const 1)) (call $log (i32.const 4) (i32.const 0) (i32.const 1))`,
    "",
    `(import "mayfly" "log" (func $log (param i32 i32 i32)))`,
  );
  await host.deploy("levels", bytes);
  assertProblem(await host.call("levels"), 502, "bad_guest_output");
  assert.deepEqual(
    (await host.logs("levels")).map(({ level }) => level),
    ["info", "info"],
  );
  const answer = await host.call("puppet", { body: orderAnswer(responseMessage()) });
  assert.deepEqual([answer.status, answer.bytes.length], [200, 0]);
});

test("A23, H9: exports with names that JavaScript objects give a meaning are never touched", async () => {
  const names = ["then", "__proto__", "toJSON", "constructor", "valueOf", "toString", "default", ""];
  const exports = names.map((name) => `(func (export "${name}") unreachable)`).join("");
  const message = responseMessage({ body: "untouched" });
  const bytes = assemble(`(module
    (import "mayfly" "response_write" (func $write (param i32 i32)))
    (export "hasOwnProperty" (func $write)) ${exports}
    (memory (export "memory") (export "Symbol.iterator") 1)
    (data (i32.const 0) "${literal(message)}")
    (func (export "mayfly_handle") (param i32) (call $write (i32.const 0) (i32.const ${message.length}))))`);
  await host.deploy("exports", bytes);
  assert.equal((await host.call("exports")).text, "untouched");
});

// docs/threat-model.md C1-C5 for every function of preview 1: whatever pointers, lengths and counts a program
// hands over, its call goes on or ends by the rules, and the next one is answered.

import { strict as assert } from "node:assert";
import { after, test } from "node:test";
import { limits } from "../../host/limits.ts";
import { errno } from "../../host/worker/abi/wasi/errno.ts";
import { preview1 } from "../../host/worker/abi/wasi/preview1.ts";
import { assemble } from "../support/guests.ts";
import { callNames, extraAt, program, systemCall, systemPuppet } from "../support/programs.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { problemCode, TestHost } from "../support/test-host.ts";

const host = await TestHost.start();
after(() => host.close());
await host.configure("puppet", { timeoutMs: 500 });
await host.deploy("puppet", systemPuppet());

const memoryBytes = 2 * 65_536;
const edges = [0, 3, 5, 64, memoryBytes - 4, memoryBytes - 1, memoryBytes, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];
const longEdges = [0n, 1n, 2n ** 31n, 2n ** 53n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n];

const act = (...parts: Parameters<typeof systemCall>) => host.call("puppet", { body: systemCall(...parts) });

/** What the call answered; fails when it did not. */
async function result(...parts: Parameters<typeof systemCall>): Promise<number> {
  const answer = await act(...parts);
  assert.equal(answer.status, 200, `${parts[0]}: ${answer.text}`);
  return answer.bytes.readUInt32LE(0);
}

test("every function takes any arguments without harm", async (context) => {
  const random = seededRandom(context);
  const pick = <value>(list: readonly value[]): value => list[Math.floor(random() * list.length)] as value;
  const rounds = process.env["MAYFLY_TEST_SOAK"] === undefined ? 12 : 400;
  for (const name of callNames) {
    const { params = [] } = preview1[name] ?? {};
    const calls = Array.from({ length: rounds }, () =>
      params.map((type) => (type === "i64" ? pick(longEdges) : pick(edges))),
    );
    await Promise.all(
      calls.map(async (args) => {
        const answer = await act(name, args);
        if (answer.status === 200) return;
        // A poll may wait for ever; memory that random bytes or a list were written over no longer holds an answer.
        const wanted = ["bad_guest_output", "no_cgi_headers", "bad_cgi_headers", "deadline_exceeded"];
        assert.ok(wanted.includes(problemCode(answer)), `${name}(${args.join()}): ${answer.text}`);
      }),
    );
  }
  assert.equal(await result("sched_yield", []), errno.success);
});

test("a vector that leaves the memory, or is more than there may be, moves nothing", async () => {
  const outside = await act("fd_write", [1, memoryBytes - 4, 1, 16]);
  assert.equal(problemCode(outside), "bad_guest_output");
  for (const count of [limits.systemVectorsMax + 1, 2 ** 31, 2 ** 32 - 1]) {
    assert.equal(await result("fd_write", [1, 64, count, 16]), errno.inval, String(count));
    assert.equal(await result("fd_read", [0, 64, count, 16]), errno.inval, String(count));
  }
});

test("vectors may overlap each other and themselves, and are filled in their order", async () => {
  const vectors = Buffer.alloc(16);
  // Both the same eight bytes, which lie in the list itself.
  for (const [index, value] of [extraAt, 8, extraAt, 8].entries()) vectors.writeUInt32LE(value, 4 * index);
  assert.equal(await result("fd_write", [2, extraAt, 2, 16], { extra: vectors }), errno.success);
});

test("one call moves no more than its bound", async () => {
  assert.equal(await result("random_get", [4_096, 100]), errno.success);
  assert.equal(problemCode(await act("random_get", [0, 2 ** 32 - 1])), "bad_guest_output");
  const { systemRandomBytesMax } = limits;
  const asking = `(module
    (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") ${systemRandomBytesMax / 65_536 + 1})
    (func (export "_start")
      (if (call $random (i32.const 0) (i32.const ${systemRandomBytesMax})) (then (unreachable)))
      (call $exit (call $random (i32.const 0) (i32.const ${systemRandomBytesMax + 1})))))`;
  await host.deploy("asking", assemble(asking));
  assert.equal(problemCode(await host.call("asking")), "program_failed");
  const { message } = (await host.logs("asking")).at(-1) ?? assert.fail();
  assert.match(message, new RegExp(`^exit code ${errno.inval},`));
});

test("as many descriptors as there may be, and not one more", async () => {
  const opener = program(
    `(local $count i32)
     (block $full (loop $more
       (br_if $full (call $path_open (i32.const 3) (i32.const 0) (i32.const 2048) (i32.const 1) (i32.const 0)
         (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 16)))
       (local.set $count (i32.add (local.get $count) (i32.const 1)))
       (br_if $more (i32.lt_u (local.get $count) (i32.const 100000)))))
     (i32.store (i32.const 20) (local.get $count))
     (call $print)
     (call $say (i32.const 1) (i32.const 20) (i32.const 4))`,
    { uses: ["path_open"], fields: `(data (i32.const 2048) ".")` },
  );
  await host.deploy("opener", opener);
  const answer = await host.call("opener");
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.bytes.readUInt32LE(0), limits.descriptorsMax - 4);
});

test("there are no sockets, no links and no signals", async () => {
  for (const name of [
    "sock_accept",
    "sock_recv",
    "sock_send",
    "sock_shutdown",
    "path_link",
    "path_symlink",
  ]) {
    assert.equal(
      await result(
        name,
        (preview1[name]?.params ?? []).map(() => 3),
      ),
      errno.notsup,
      name,
    );
  }
  assert.equal(await result("proc_raise", [9]), errno.notsup);
});

test("a path that leads out of its directory, or is none, leads nowhere", async () => {
  const open = (path: string | Uint8Array) =>
    result("path_open", [3, 0, extraAt, Buffer.byteLength(path as string), 0, 2, 0, 0, 16], { extra: path });
  const wanted: readonly (readonly [string | Uint8Array, number])[] = [
    [".", errno.success],
    ["tmp", errno.success],
    ["tmp/..", errno.success],
    ["..", errno.notcapable],
    ["../etc/passwd", errno.notcapable],
    ["tmp/../../etc/passwd", errno.notcapable],
    ["/etc/passwd", errno.notcapable],
    ["etc/passwd", errno.noent],
    ["", errno.noent],
    ["a\0b", errno.inval],
    ["__proto__", errno.noent],
    ["constructor", errno.noent],
    [Uint8Array.of(0xff, 0xfe), errno.ilseq],
    ["x".repeat(300), errno.nametoolong],
  ];
  for (const [path, code] of wanted) {
    assert.equal(
      await open(path),
      code,
      JSON.stringify(
        Buffer.from(path as string)
          .toString("latin1")
          .slice(0, 40),
      ),
    );
  }
});

test("the clocks tell whole milliseconds", async () => {
  for (const id of [0, 1, 2, 3]) {
    const answer = await act("clock_time_get", [id, 1, 4_096], { show: [4_096, 8] });
    assert.equal(answer.bytes.readUInt32LE(0), errno.success);
    assert.equal(answer.bytes.readBigUInt64LE(4) % 1_000_000n, 0n);
    assert.ok(answer.bytes.readBigUInt64LE(4) > 0n);
  }
  assert.equal(await result("clock_time_get", [4, 1, 4_096]), errno.inval);
});

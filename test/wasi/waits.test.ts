// What programs wait for: the poll of several things, descriptors that are not to wait, what the environment says
// of a body that has still to come, and who has it whole all the same.

import { strict as assert } from "node:assert";
import { after, test } from "node:test";
import { errno } from "../../host/worker/abi/wasi/errno.ts";
import { fetcher, fetching } from "../flow/fetch-guest.ts";
import { assemble, guest, literal } from "../support/guests.ts";
import { responseMessage } from "../support/messages.ts";
import { echo, headerBlock, imports, listing, program, readChunk, sleep } from "../support/programs.ts";
import { StreamClient } from "../support/stream-client.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";

const host = await TestHost.start({ maxWorkers: 1, allowUnmetered: true });
after(() => host.close());

const stdin = 0;
const stdout = 1;
const toRead = 1;
const toWrite = 2;

/** A subscription to a descriptor, or with none to a time, at 512 and on; its user data is its place and one. */
const subscribe = (place: number, kind: number, fd: number, ms = 0): string => {
  const at = 512 + 48 * place;
  return `(i64.store (i32.const ${at}) (i64.const ${place + 1}))
    (i64.store (i32.const ${at + 8}) (i64.const ${kind}))
    (i64.store (i32.const ${at + 16}) (i64.const ${kind === 0 ? 1 : fd}))
    (i64.store (i32.const ${at + 24}) (i64.const ${BigInt(ms) * 1_000_000n}))
    (i64.store (i32.const ${at + 40}) (i64.const 0))`;
};
const clock = (place: number, ms: number): string => subscribe(place, 0, 0, ms);

/** Polls, and writes a letter for each event: its user data from A on, small where it says that nothing follows. */
const pollAndTell = (count: number): string => `
  (if (call $poll_oneoff (i32.const 512) (i32.const 1536) (i32.const ${count}) (i32.const 16)) (then unreachable))
  (local.set $i (i32.const 0))
  (loop $event
    (local.set $at (i32.add (i32.const 1536) (i32.mul (i32.const 32) (local.get $i))))
    (i32.store8 (i32.const 4096)
      (i32.add (i32.add (i32.const 64) (i32.load (local.get $at)))
        (i32.mul (i32.const 32) (i32.load16_u (i32.add (local.get $at) (i32.const 24))))))
    (call $say (i32.const 1) (i32.const 4096) (i32.const 1))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_if $event (i32.lt_u (local.get $i) (i32.load (i32.const 16)))))`;

const locals = "(local $i i32) (local $at i32)";
const uses = ["fd_read", "poll_oneoff", "fd_fdstat_set_flags"];

test("a poll tells of bytes on stdin when they come, and of its end", async () => {
  const poller = program(
    `${locals} (call $print)
     ${subscribe(0, toRead, stdin)} ${clock(1, 60_000)}
     (loop $more ${pollAndTell(2)} ${readChunk()} (br_if $more (i32.load (i32.const 8))))`,
    { uses },
  );
  await host.deploy("poller", poller);
  const client = StreamClient.open(host.port, "/fn/poller", { method: "POST" });
  await client.answer;
  for (const piece of ["a", "another"]) {
    client.request.write(piece);
    assert.equal((await client.read(1)).toString(), "A");
  }
  client.request.end();
  assert.equal((await client.read(1)).toString(), "a");
  assert.equal((await client.rest()).whole, true);
  // A body that is there is read at once, also on the main thread.
  assert.equal((await host.call("poller", { body: "whole" })).text, "Aa");
  assert.equal((await host.call("poller")).text, "a");
});

test("a poll tells that its time has come while stdin stands still, and of bytes after that", async () => {
  const timed = program(
    `${locals} (call $print) ${subscribe(0, toRead, stdin)} ${clock(1, 30)} ${clock(2, 60_000)}
     ${pollAndTell(3)} ${pollAndTell(1)} ${readChunk()}
     (call $say (i32.const 1) (i32.const 65536) (i32.load (i32.const 8)))`,
    { uses },
  );
  await host.deploy("timed", timed);
  const client = StreamClient.open(host.port, "/fn/timed", { method: "POST" });
  assert.equal((await client.read(1)).toString(), "B");
  client.request.write("late");
  assert.equal((await client.read(5)).toString(), "Alate");
  client.request.end();
  assert.equal((await client.rest()).whole, true);
});

test("a program that polls for ever what never comes ends at its time, and one that does not wait at its CPU time", async () => {
  await host.configure("patient", { timeoutMs: 500 });
  await host.deploy(
    "patient",
    program(`${locals} ${subscribe(0, toRead, stdin)} ${pollAndTell(1)}`, { uses }),
  );
  const client = StreamClient.open(host.port, "/fn/patient", { method: "POST" });
  assert.equal((await client.answer).statusCode, 504);
  client.close();
  await host.configure("spinner", { cpuMs: 200 });
  const spin = `(loop $more (drop (call $poll_oneoff (i32.const 512) (i32.const 1536) (i32.const 1) (i32.const 16))) (br $more))`;
  await host.deploy("spinner", program(`${clock(0, 0)} ${spin}`, { uses }));
  assertProblem(await host.call("spinner"), 504, "cpu_exceeded");
  assert.equal((await host.call("poller", { body: "x" })).text, "Aa");
});

/** Writes a letter for a result: A for 0, and on. */
const tellResult = (call: string): string =>
  `(i32.store8 (i32.const 4096) (i32.add (i32.const 65) ${call})) (call $say (i32.const 1) (i32.const 4096) (i32.const 1))`;
const again = String.fromCharCode(65 + errno.again);
const setNonblocking = (fd: number): string =>
  `(if (call $fd_fdstat_set_flags (i32.const ${fd}) (i32.const 4)) (then unreachable))`;

test("a stdin that is not to wait says so, and a poll waits for it", async () => {
  const read = "(call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8))";
  const vector = "(i32.store (i32.const 0) (i32.const 65536)) (i32.store (i32.const 4) (i32.const 100))";
  const eager = program(
    `${locals} (call $print) ${setNonblocking(stdin)} ${vector} ${tellResult(read)}
     ${subscribe(0, toRead, stdin)} ${pollAndTell(1)} ${vector} ${tellResult(read)}
     (call $say (i32.const 1) (i32.const 65536) (i32.load (i32.const 8)))`,
    { uses },
  );
  await host.deploy("eager", eager);
  const client = StreamClient.open(host.port, "/fn/eager", { method: "POST" });
  // Nothing of it leaves before the program waits.
  assert.equal((await client.read(1)).toString(), again);
  client.request.end("come");
  assert.equal((await client.read(2)).toString(), "AA");
});

test("a stdout that is not to wait says when its reader is behind, and a poll waits until that has caught up", async () => {
  const blocks = 512;
  const pushy = program(
    `(local $left i32) (local $told i32) (local.set $left (i32.const ${blocks}))
     (call $print) ${setNonblocking(stdout)} ${subscribe(0, toWrite, stdout)}
     (loop $more
       (i32.store (i32.const 0) (i32.const 65536)) (i32.store (i32.const 4) (i32.const 65536))
       (if (i32.eq (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)) (i32.const ${errno.again}))
         (then
           (if (i32.eqz (local.get $told)) (then (call $say (i32.const 2) (i32.const 4096) (i32.const 5))))
           (local.set $told (i32.const 1))
           (if (call $poll_oneoff (i32.const 512) (i32.const 1536) (i32.const 1) (i32.const 16)) (then unreachable)))
         (else (local.set $left (i32.sub (local.get $left) (i32.const 1)))))
       (br_if $more (local.get $left)))`,
    { uses, fields: `(data (i32.const 4096) "full\\n")` },
  );
  await host.configure("pushy", { cpuMs: 10_000 });
  await host.deploy("pushy", pushy);
  const client = StreamClient.open(host.port, "/fn/pushy");
  (await client.answer).pause();
  const lines = async (): Promise<string> => (await host.logs("pushy")).map(({ message }) => message).join();
  const endMs = performance.now() + 15_000;
  while ((await lines()) === "" && performance.now() < endMs) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.equal(await lines(), "full");
  assert.deepEqual(await client.rest(), { bytes: blocks * 65_536, whole: true });
});

test("the length of a body is in the environment where its sender has told it", async () => {
  await host.deploy("told", listing("environ", ["fd_read"]));
  const length = async (headers: Record<string, string>, body: string): Promise<string | undefined> => {
    const { text } = await host.call("told", { headers, body });
    return /(?:^|\0)CONTENT_LENGTH=(\d+)\0/.exec(text)?.[1];
  };
  assert.equal(await length({}, "four"), "4");
  assert.equal(await length({ "content-length": "200000" }, "x".repeat(200_000)), "200000");
  assert.equal(await length({ "transfer-encoding": "chunked" }, "four"), undefined);
  assert.equal(await length({}, ""), "0");
  // Who does not read it as it comes has it whole, and its length.
  await host.deploy("told", listing("environ"));
  assert.equal(await length({ "transfer-encoding": "chunked" }, "four"), "4");
});

test("a guest of the other ABI that could read its stdin has the body in its message all the same", async () => {
  const message = responseMessage({ body: "ok" });
  const reactor = guest(
    `(if (i32.lt_u (local.get $request) (i32.const 200000)) (then unreachable))
     (i32.store (i32.const 0) (i32.const 4096)) (i32.store (i32.const 4) (i32.const 5))
     (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
     (drop (call $fd_write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8)))
     (call $write (i32.const 1024) (i32.const ${message.length}))`,
    `(data (i32.const 1024) "${literal(message)}")`,
    `(import "mayfly" "response_write" (func $write (param i32 i32))) ${imports("fd_read", "fd_write")}`,
  );
  await host.deploy("reactor", reactor);
  const headers = { "transfer-encoding": "chunked" };
  assert.equal((await host.call("reactor", { headers, body: "x".repeat(200_000) })).text, "ok");
  assert.deepEqual(
    (await host.logs("reactor")).map(({ message: line }) => line),
    ["xxxxx"],
  );
});

test("who takes a program's answer whole gets it joined, and none of one that failed half way", async () => {
  const uses = ["poll_oneoff", "proc_exit"];
  await host.deploy(
    "halves",
    program(`(call $print) (call $print) ${sleep(20)} (call $print)`, { text: `${headerBlock}x`, uses }),
  );
  await host.deploy("half", program(`(call $print) ${sleep(20)} (call $proc_exit (i32.const 1))`, { uses }));
  await host.deploy("fetcher", fetcher());
  const { fetch } = fetching(host);
  assert.equal(
    (await fetch({ url: "http://halves.mayfly.internal/" })).text,
    `x${headerBlock}x${headerBlock}x`,
  );
  assert.equal((await fetch({ url: "http://half.mayfly.internal/" })).status, 502);
});

test("a program on a thread of its own streams, and so does one that is not metered, which does not give way", async () => {
  await host.configure("own", { isolation: "dedicated" });
  await host.deploy("own", echo());
  // What it writes leaves with the write: it does not wait before it loops for ever.
  const looping = `(call $print) (call $say (i32.const 1) (i32.const 1024) (i32.const 5)) (loop $more (br $more))`;
  await host.configure("raw", { timeoutMs: 1_000 });
  const { length } = headerBlock;
  const raw = assemble(
    `(module ${imports("fd_write")} (memory (export "memory") 2) (memory 1)
      (data (i32.const 1024) "${literal(headerBlock)}")
      (func $say (param $fd i32) (param $at i32) (param $bytes i32)
        (i32.store (i32.const 0) (local.get $at)) (i32.store (i32.const 4) (local.get $bytes))
        (drop (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))))
      (func $print (call $say (i32.const 1) (i32.const 1024) (i32.const ${length})))
      (func (export "_start") ${looping}))`,
    { multi_memory: true },
  );
  await host.deploy("raw", raw);
  const own = StreamClient.open(host.port, "/fn/own", { method: "POST" });
  for (const piece of ["one", "two"]) {
    own.request.write(piece);
    assert.equal((await own.read(3)).toString(), piece);
  }
  own.request.end();
  assert.equal((await own.rest()).whole, true);
  assert.deepEqual(await StreamClient.open(host.port, "/fn/raw").rest(), { bytes: 5, whole: false });
});

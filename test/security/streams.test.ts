// Guests that misuse the host calls of streams: each gets its own code, and the next call is answered.

import { strict as assert } from "node:assert";
import { after, test } from "node:test";
import { limits } from "../../host/limits.ts";
import { assemble, literal } from "../support/guests.ts";
import { responseMessage, u32 } from "../support/messages.ts";
import { StreamClient } from "../support/stream-client.ts";
import { push, type StreamGuest, streamedEcho, streaming } from "../support/stream-guests.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";

const host = await TestHost.start({ maxWorkers: 1 });
after(() => host.close());
await host.deploy("echo", streamedEcho());

const all = 0xffff_ffff;
const begin = (pointer: number, length: number): string =>
  `(call $response_begin (i32.const ${pointer}) (i32.const ${length}))`;
const head = (message: Buffer): StreamGuest => ({ text: message });
const beginText = (message: Buffer): string => begin(16, message.byteLength);
const badStatus = responseMessage({ status: 199 });
const badHeader = responseMessage({ headers: [["x a", "1"]] });
const withBody = responseMessage({ body: "no" });
const longHead = Buffer.concat([u32(9), responseMessage({ status: 200 }).subarray(4)]);

/** What a guest does before anything of its answer has left, and what its caller gets. */
const unsent: readonly (readonly [name: string, body: string, options?: StreamGuest])[] = [
  ["pushes before it begins", push(1)],
  ["ends before it begins", "(call $end)"],
  ["begins twice", "(call $begin) (call $begin)"],
  ["ends twice", "(call $begin) (call $end) (call $end)"],
  ["pushes after the end", `(call $begin) (call $end) ${push(1)}`],
  ["never ends", `(call $begin) ${push(1)}`],
  ["answers whole inside its stream", "(call $begin) (call $response_write (i32.const 0) (i32.const 12))"],
  ["begins after its whole answer", "(call $response_write (i32.const 0) (i32.const 12)) (call $begin)"],
  ["begins with a status that is none", `${beginText(badStatus)} (call $end)`, head(badStatus)],
  ["begins with a header that is none", `${beginText(badHeader)} (call $end)`, head(badHeader)],
  ["begins with a body", `${beginText(withBody)} (call $end)`, head(withBody)],
  ["begins with a head that is shorter than it says", `${beginText(longHead)} (call $end)`, head(longHead)],
  ["begins with nothing", begin(16, 0)],
  ["begins beyond its memory", begin(all - 3, 12)],
  ["begins with 4 GiB", begin(0, all)],
  ["pushes from beyond its memory", `(call $begin) (call $push (i32.const ${all - 3}) (i32.const 8))`],
  ["pushes 4 GiB", `(call $begin) (call $push (i32.const 0) (i32.const ${all}))`],
  ["reads to beyond its memory", `(drop (call $read (i32.const ${all - 3}) (i32.const 8)))`, { reads: true }],
  ["reads 4 GiB", `(drop (call $read (i32.const 0) (i32.const ${all})))`, { reads: true }],
];

/** One module for all of the table: its guest does what the first byte of the path says. */
function table(rows: typeof unsent): Uint8Array {
  const cases = rows.map(
    ([, body, { text = "" } = {}], row) => `(if (i32.eq (local.get $i) (i32.const ${row})) (then
      (memory.init $text${row} (i32.const 16) (i32.const 0) (i32.const ${text.length}))
      ${body} (return)))`,
  );
  const texts = rows.map(([, , { text = "" } = {}], row) => `(data $text${row} "${literal(text)}")`);
  // The path's text comes behind method and URL: two lengths and texts, then its own length and "/" and a byte.
  const row = `(call $request_read (i32.const 4096))
    (local.set $n (i32.add (i32.const 4104) (i32.load (i32.const 4100))))
    (local.set $n (i32.add (i32.add (local.get $n) (i32.const 4)) (i32.load (local.get $n))))
    (local.set $i (i32.sub (i32.load8_u (i32.add (local.get $n) (i32.const 5))) (i32.const 65)))`;
  return streaming(`${row} ${cases.join("\n")} ${push(0)}`, { reads: true, fields: texts.join("\n") });
}

await host.deploy("table", table(unsent));

for (const [row, [name]] of unsent.entries()) {
  test(`a guest that ${name} is bad_guest_output`, async () => {
    const path = String.fromCharCode(65 + row);
    assertProblem(await host.ask("GET", `/fn/table/${path}`), 502, "bad_guest_output");
    assert.equal((await host.call("echo", { body: "still here" })).text, "still here");
  });
}

test("the log of a guest that answers beside its stream says what handle has to return", async () => {
  const body = "(call $begin) (call $response_write (i32.const 0) (i32.const 12))";
  await host.deploy("beside", streaming(body));
  assertProblem(await host.ask("GET", "/fn/beside"), 502, "bad_guest_output");
  const [line] = (await host.logs("beside")).map(({ message }) => message);
  assert.match(line ?? "", /^bad output: the function answered twice; .* return what its end\(\) gives$/);
});

test("a fault after the head breaks the connection, and the log has the reason once", async () => {
  const body = `(call $begin) ${push(5)} (call $sleep (f64.const 1)) (call $push (i32.const -4) (i32.const 8))`;
  await host.deploy("faulty", streaming(body, { text: "begun" }));
  assert.deepEqual(await StreamClient.open(host.port, "/fn/faulty").rest(), { bytes: 5, whole: false });
  const lines = (await host.logs("faulty")).map(({ message }) => message);
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? "", /^bad output: a pointer leaves the memory/);
});

test("a head that cannot be sent is refused also when its guest goes on after it", async () => {
  const body = `${beginText(badHeader)} (call $sleep (f64.const 60000)) (call $end)`;
  await host.deploy("badhead", streaming(body, head(badHeader)));
  assertProblem(await host.ask("GET", "/fn/badhead"), 502, "bad_guest_output");
  assert.match((await host.logs("badhead"))[0]?.message ?? "", /^stopped: .*a header name is no token$/);
});

test("a storm of pushes of one byte ends as one of host calls, and gathers no messages", async () => {
  await host.deploy("storm", streaming(`(call $begin) (loop $more ${push(1)} (br $more))`));
  const { bytes, whole } = await StreamClient.open(host.port, "/fn/storm").rest();
  assert.equal(whole, false);
  const most = limits.hostCallsPerCallMax * (1 + 2 / 1_024);
  assert.ok(bytes <= most, `${bytes} bytes came`);
  assert.match((await host.logs("storm"))[0]?.message ?? "", /^more than 100000 host calls/);
});

test("what is pushed in large pieces is no storm", async () => {
  const count = limits.hostCallsPerCallMax + 10_000;
  const body = `(call $begin)
    (loop $more ${push(1_024)}
      (global.set $count (i32.add (global.get $count) (i32.const 1)))
      (br_if $more (i32.lt_u (global.get $count) (i32.const ${count}))))
    (call $end)`;
  await host.deploy("large", streaming(body));
  await host.configure("large", { cpuMs: 60_000 });
  assert.deepEqual(await StreamClient.open(host.port, "/fn/large").rest(), {
    bytes: count * 1_024,
    whole: true,
  });
});

test("a read after the end of the body is the end again", async () => {
  const body = `(call $begin) (loop $more (br_if $more (call $read (i32.const 1024) (i32.const 65536))))
    (i32.store8 (i32.const 16) (i32.add (i32.const 48) (call $read (i32.const 1024) (i32.const 10)))) ${push(1)} (call $end)`;
  await host.deploy("reader", streaming(body, { reads: true }));
  assert.equal((await host.call("reader", { body: "x" })).text, "0");
  const chunked = { body: "x".repeat(100_000), headers: { "transfer-encoding": "chunked" } };
  assert.equal((await host.call("reader", chunked)).text, "0");
});

test("a guest cannot stream while it is initialised", async () => {
  const start = assemble(`(module
    (import "mayfly" "response_begin" (func $begin (param i32 i32)))
    (memory (export "memory") 1)
    (func $start (call $begin (i32.const 0) (i32.const 12)))
    (start $start)
    (func (export "mayfly_handle") (param i32)))`);
  assertProblem(await host.upload("starter", start), 422, "start_failed");
});

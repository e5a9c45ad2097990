// Bodies that are streamed through programs, both ways: that they come as they are written, that a side which
// is ahead waits for the other, and what becomes of programs whose streams break.

import { strict as assert } from "node:assert";
import { createHash } from "node:crypto";
import { after, test } from "node:test";
import { answering } from "../support/guests.ts";
import { echo, headerBlock, program, readChunk, sleep } from "../support/programs.ts";
import { RawConnection } from "../support/raw-connection.ts";
import { StreamClient } from "../support/stream-client.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";

const mebibyte = 1024 ** 2;
const echoedBytes = (process.env["MAYFLY_TEST_SOAK"] === "1" ? 1024 : 64) * mebibyte;

const host = await TestHost.start({ maxWorkers: 1 });
after(() => host.close());
await host.deploy("good", answering("good"));
await host.deploy("echo", echo());
await host.configure("echo", { cpuMs: 60_000 });

async function outcomes(code: string): Promise<number> {
  const { text } = await host.ask("GET", "/metrics");
  return Number(new RegExp(`^mayfly_calls_total\\{outcome="${code}"\\} (\\d+)$`, "m").exec(text)?.[1] ?? 0);
}

async function liveCalls(): Promise<number> {
  return Number(/^mayfly_live_calls (\d+)$/m.exec((await host.ask("GET", "/metrics")).text)?.[1]);
}

async function untilAsync(happened: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 15_000;
  while (!(await happened())) {
    if (performance.now() > endMs) throw new Error("Waited in vain");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const messages = async (name: string): Promise<string[]> =>
  (await host.logs(name)).map(({ message }) => message);

/** The neighbours are unharmed. */
async function assertGood(): Promise<void> {
  assert.equal((await host.call("good")).text, "good");
}

test("the first bytes of an answer are there before its program has read the request to its end", async () => {
  const client = StreamClient.open(host.port, "/fn/echo", { method: "POST" });
  for (const piece of ["one", "second", "3"]) {
    client.request.write(piece);
    // What was sent last comes back before anything more is sent.
    assert.equal((await client.read(piece.length)).toString(), piece);
  }
  client.request.end();
  assert.deepEqual(await client.rest(), { bytes: 0, whole: true });
});

test(`${echoedBytes / mebibyte} MiB go through a program and come back as they were`, async () => {
  const block = Buffer.alloc(mebibyte + 7);
  for (let at = 0; at < block.byteLength; at += 1) block[at] = (at * at) >> 3;
  const sent = createHash("sha256");
  const got = createHash("sha256");
  const client = StreamClient.open(host.port, "/fn/echo", { method: "POST" });
  const received = client.rest((chunk) => void got.update(chunk));
  for (let bytes = 0; bytes < echoedBytes; bytes += block.byteLength) {
    sent.update(block);
    if (!client.request.write(block)) await new Promise((resolve) => client.request.once("drain", resolve));
  }
  client.request.end();
  const { whole } = await received;
  assert.equal(whole, true);
  assert.equal(got.digest("hex"), sent.digest("hex"));
});

test("a program that ends soon gives a whole answer, with a length; one that goes on after its header block does not", async () => {
  const late = (text: string) =>
    program(`(call $print) ${sleep(20)} (call $print)`, { text, uses: ["poll_oneoff"] });
  await host.deploy("late", late("Status: 201\nContent-Type: text/plain\nContent-Length: 3\n\n"));
  const short = await host.call("echo", { body: "short" });
  assert.deepEqual([short.text, short.header("content-length")], ["short", "5"]);
  const { status, headers } = await fetch(`${host.host.url}/fn/late`);
  assert.deepEqual([status, headers.get("content-length")], [201, null]);
  assert.equal(headers.get("transfer-encoding"), "chunked");
});

test("a client that does not read holds up its program, and nobody else", async () => {
  const mebibytes = 64;
  // A line on stderr after each MiB says how far the program has come.
  const ahead = program(
    `(local $mib i32) (local $i i32)
     (call $print)
     (loop $next
       (local.set $i (i32.const 16))
       (loop $more
         (call $say (i32.const 1) (i32.const 65536) (i32.const 65536))
         (br_if $more (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
       (call $say (i32.const 2) (i32.const 4096) (i32.const 4))
       (br_if $next (i32.lt_u (local.tee $mib (i32.add (local.get $mib) (i32.const 1))) (i32.const ${mebibytes}))))`,
    { fields: `(data (i32.const 4096) "MiB\\n")` },
  );
  await host.deploy("ahead", ahead);
  const written = async (): Promise<number> => (await host.logs("ahead")).length;
  const client = StreamClient.open(host.port, "/fn/ahead");
  (await client.answer).pause();
  let before = -1;
  await untilAsync(async () => {
    const now = await written();
    const stands = now > 0 && now === before;
    before = now;
    await new Promise((resolve) => setTimeout(resolve, 200));
    return stands;
  });
  assert.ok((await written()) < mebibytes / 2, `${await written()} MiB were written with nobody reading`);
  await assertGood();
  assert.deepEqual(await client.rest(), { bytes: mebibytes * mebibyte, whole: true });
  assert.equal(await written(), mebibytes);
});

test("a program that reads no further holds up its client", async () => {
  await host.deploy(
    "deaf",
    program(`${readChunk()} ${sleep(300)} (call $print)`, { uses: ["fd_read", "poll_oneoff"] }),
  );
  const client = StreamClient.open(host.port, "/fn/deaf", { method: "POST" });
  client.request.on("error", () => {});
  for (let sent = 0; sent < 32; sent += 1) client.request.write(Buffer.alloc(mebibyte));
  assert.equal((await client.answer).statusCode, 200);
  assert.ok(client.request.writableLength > mebibyte, "the client could send all of it");
  assert.equal((await client.rest()).whole, true);
  client.close();
  await assertGood();
});

const endless = `(call $print) (loop $more (call $say (i32.const 1) (i32.const 4096) (i32.const 1000)) (br $more))`;

test("a client that goes away ends its program, which would write for ever", async () => {
  await host.deploy("endless", program(endless));
  await host.configure("endless", { cpuMs: 60_000 });
  const before = await outcomes("client_gone");
  const client = StreamClient.open(host.port, "/fn/endless");
  await client.read(100_000);
  assert.equal(await liveCalls(), 1);
  client.close();
  await untilAsync(async () => (await liveCalls()) === 0);
  assert.equal(await outcomes("client_gone"), before + 1);
  assert.deepEqual(await messages("endless"), ["stopped: the client went away"]);
});

test("a program that writes for ever to a client that reads for ever is cut off at its CPU time", async () => {
  await host.configure("greedy", { cpuMs: 200 });
  await host.deploy("greedy", program(endless));
  const before = await outcomes("cpu_exceeded");
  assert.equal((await StreamClient.open(host.port, "/fn/greedy").rest()).whole, false);
  assert.equal(await outcomes("cpu_exceeded"), before + 1);
  assert.match((await messages("greedy")).join(), /^stopped: .* limit of 200 ms of CPU time$/);
  await assertGood();
});

test("an answer to HEAD is whole with its head, whatever its program does after it", async () => {
  const connection = await RawConnection.open(host.port);
  connection.write("HEAD /fn/endless HTTP/1.1\r\nHost: h\r\n\r\n");
  assert.equal((await connection.answer({ head: true }))?.status, 200);
  connection.write("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
  assert.equal((await connection.answer())?.body.toString(), '{"status":"live"}');
  connection.close();
  await untilAsync(async () => (await liveCalls()) === 0);
});

test("a request that breaks off half way ends its program, which never takes that for the end", async () => {
  const noted = `(call $say (i32.const 2) (i32.const 1024) (i32.const ${headerBlock.length}))`;
  await host.deploy("noting", echo(noted));
  const before = await outcomes("client_gone");
  const client = StreamClient.open(host.port, "/fn/noting", {
    method: "POST",
    headers: { "content-length": 10_000_000 },
  });
  client.request.write(Buffer.alloc(100_000));
  await client.read(100_000);
  client.close();
  await untilAsync(async () => (await liveCalls()) === 0);
  assert.equal(await outcomes("client_gone"), before + 1);
  assert.deepEqual(await messages("noting"), ["stopped: the client went away"]);
  await assertGood();
});

/** Only where the time is to end a call is it short: a busy machine takes long over the others. */
const timeoutMs = (outcome: string): number => (outcome === "deadline_exceeded" ? 1_000 : 30_000);

/** Ends of a program whose first bytes have left: each has its outcome, and a line in the log. */
const brokenEnds: readonly (readonly [name: string, end: string, outcome: string, line: RegExp])[] = [
  [
    "exit-code",
    "(call $proc_exit (i32.const 1))",
    "program_failed",
    /^exit code 1 after the answer had begun$/,
  ],
  ["trap", "unreachable", "guest_trapped", /^trap: unreachable/],
  [
    "pointer",
    "(call $say (i32.const 1) (i32.const -4) (i32.const 8))",
    "bad_guest_output",
    /^bad output: a pointer leaves/,
  ],
  ["forever", sleep(60_000), "deadline_exceeded", /^stopped: .* limit of 1000 ms$/],
];

for (const [name, end, outcome, line] of brokenEnds) {
  test(`after the first bytes of an answer ${outcome} breaks the connection, and the log says why`, async () => {
    const body = `(call $print) (call $say (i32.const 1) (i32.const 1024) (i32.const 5)) ${sleep(1)} ${end}`;
    await host.configure(name, { timeoutMs: timeoutMs(outcome) });
    await host.deploy(name, program(body, { uses: ["poll_oneoff", "proc_exit"] }));
    const before = await outcomes(outcome);
    const client = StreamClient.open(host.port, `/fn/${name}`);
    assert.equal((await client.answer).statusCode, 200);
    assert.deepEqual(await client.rest(), { bytes: 5, whole: false });
    assert.equal(await outcomes(outcome), before + 1);
    const lines = await messages(name);
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? "", line);
    await assertGood();
  });
}

test("an exit code of 0 after the first bytes is the end of a whole answer", async () => {
  const body = `(call $print) ${sleep(1)} (call $print) (call $proc_exit (i32.const 0))`;
  await host.deploy("ended", program(body, { uses: ["poll_oneoff", "proc_exit"] }));
  assert.deepEqual(await StreamClient.open(host.port, "/fn/ended").rest(), {
    bytes: headerBlock.length,
    whole: true,
  });
});

/** What a program that waits after it wrote this gets: nothing of it may leave. */
const unsent: readonly (readonly [name: string, text: string, end: string, code: string])[] = [
  ["a header block that is none", "Hello, world!\n\n", "", "bad_cgi_headers"],
  ["half a header block", "Content-Type: text/plain\n", "", "no_cgi_headers"],
  ["a status that is none", "Status: 99\n\n", "", "bad_cgi_headers"],
  [
    "half a header block, and fails",
    "Content-Type: text/plain\n",
    "(call $proc_exit (i32.const 3))",
    "program_failed",
  ],
  [
    "a header block that is none, and fails",
    "Traceback:\n\n",
    "(call $proc_exit (i32.const 3))",
    "program_failed",
  ],
  ["half a header block, and traps", "Content-Type: text/plain\n", "unreachable", "guest_trapped"],
  ["nothing for ever", "", sleep(60_000), "deadline_exceeded"],
];

for (const [row, [name, text, end, code]] of unsent.entries()) {
  test(`a program that writes ${name}, and waits in between, is ${code}`, async () => {
    await host.configure(`unsent-${row}`, { timeoutMs: timeoutMs(code) });
    const body = `(call $print) ${sleep(5)} ${end}`;
    await host.deploy(`unsent-${row}`, program(body, { text, uses: ["poll_oneoff", "proc_exit"] }));
    const status = code === "deadline_exceeded" ? 504 : 502;
    assertProblem(await host.call(`unsent-${row}`), status, code);
    await assertGood();
  });
}

test("a program that goes on for ever after a header block that is none is ended at the block's bound", async () => {
  await host.deploy("garbage", program(endless, { text: "Hello, world!\n\n" }));
  assertProblem(await host.call("garbage"), 502, "bad_cgi_headers");
  await assertGood();
});

test("a header block may come in pieces, with waits in between", async () => {
  const text = "Content-Type: text/plain\r\n\r\nx";
  const pieces = Array.from(
    text,
    (_, index) => `(call $say (i32.const 1) (i32.const ${1024 + index}) (i32.const 1)) ${sleep(1)}`,
  );
  await host.deploy("pieces", program(pieces.join("\n"), { text, uses: ["poll_oneoff"] }));
  const answer = await host.call("pieces");
  assert.deepEqual([answer.status, answer.text, answer.header("content-type")], [200, "x", "text/plain"]);
});

test("an answer of more than may be held is streamed, also from a program that never waits", async () => {
  const count = 120;
  const long = program(
    `(local $left i32) (local.set $left (i32.const ${count})) (call $print)
     (loop $more (call $say (i32.const 1) (i32.const 0) (i32.const 65536))
       (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))`,
  );
  await host.deploy("long", long);
  assert.deepEqual(await StreamClient.open(host.port, "/fn/long").rest(), {
    bytes: count * 65_536,
    whole: true,
  });
});

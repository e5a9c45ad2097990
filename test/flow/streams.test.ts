// Bodies that are streamed through a guest, both ways: that they come as they are written, that a side
// which is ahead waits for the other, and what becomes of calls whose streams break.

import { strict as assert } from "node:assert";
import { createHash } from "node:crypto";
import { after, test } from "node:test";
import { answering } from "../support/guests.ts";
import { RawConnection } from "../support/raw-connection.ts";
import { StreamClient } from "../support/stream-client.ts";
import { push, streamedEcho, streaming, times } from "../support/stream-guests.ts";
import { TestHost } from "../support/test-host.ts";
import { fetcher, fetching } from "./fetch-guest.ts";

const mebibyte = 1024 ** 2;
const echoedBytes = (process.env["MAYFLY_TEST_SOAK"] === "1" ? 1024 : 64) * mebibyte;

const host = await TestHost.start({ maxWorkers: 1, threadsOnly: true });
after(() => host.close());
await host.deploy("good", answering("good"));
await host.deploy("echo", streamedEcho());
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

test("the first bytes of an answer are there before its guest has read the request to its end", async () => {
  const client = StreamClient.open(host.port, "/fn/echo", { method: "POST" });
  for (const piece of ["one", "second", "3"]) {
    client.request.write(piece);
    // What was sent last comes back before anything more is sent.
    assert.equal((await client.read(piece.length)).toString(), piece);
  }
  client.request.end();
  assert.deepEqual(await client.rest(), { bytes: 0, whole: true });
});

test(`${echoedBytes / mebibyte} MiB go through a guest and come back as they were`, async () => {
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

test("a client that does not read holds up its guest, and nobody else", async () => {
  const mebibytes = 64;
  // A line in the log after each MiB says how far the guest has come.
  const mib = `${times(16, push(65_536))} (call $log (i32.const 1) (i32.const 16) (i32.const 3))`;
  const body = `(call $begin) (loop $more ${mib}
    (global.set $count (i32.add (global.get $count) (i32.const 1)))
    (br_if $more (i32.lt_u (global.get $count) (i32.const ${mebibytes})))) (call $end)`;
  await host.deploy("ahead", streaming(body, { text: "MiB" }));
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
  assert.equal((await host.call("good")).text, "good");
  assert.deepEqual(await client.rest(), { bytes: mebibytes * mebibyte, whole: true });
  assert.equal(await written(), mebibytes);
});

test("a guest that reads no further holds up its client", async () => {
  const body = `(drop (call $read (i32.const 1024) (i32.const 65536)))
    (call $sleep (f64.const 300)) (call $begin) (call $end)`;
  await host.deploy("deaf", streaming(body, { reads: true }));
  const client = StreamClient.open(host.port, "/fn/deaf", { method: "POST" });
  client.request.on("error", () => {});
  for (let sent = 0; sent < 32; sent += 1) client.request.write(Buffer.alloc(mebibyte));
  assert.equal((await client.answer).statusCode, 200);
  assert.ok(client.request.writableLength > mebibyte, "the client could send all of it");
  assert.equal((await client.rest()).whole, true);
  client.close();
  assert.equal((await host.call("good")).text, "good");
});

test("a client that goes away ends its guest, which would write for ever", async () => {
  await host.deploy("endless", streaming(`(call $begin) (loop $more ${push(1_000)} (br $more))`));
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

test("an answer to HEAD is whole with its head, whatever its guest does after it", async () => {
  const connection = await RawConnection.open(host.port);
  connection.write("HEAD /fn/endless HTTP/1.1\r\nHost: h\r\n\r\n");
  assert.equal((await connection.answer({ head: true }))?.status, 200);
  connection.write("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
  assert.equal((await connection.answer())?.body.toString(), '{"status":"live"}');
  assert.equal(await liveCalls(), 1);
  connection.close();
  await untilAsync(async () => (await liveCalls()) === 0);
});

test("a request that breaks off half way ends its guest", async () => {
  const before = await outcomes("client_gone");
  const client = StreamClient.open(host.port, "/fn/echo", {
    method: "POST",
    headers: { "content-length": 10_000_000 },
  });
  client.request.write(Buffer.alloc(100_000));
  await client.read(100_000);
  client.close();
  await untilAsync(async () => (await liveCalls()) === 0);
  assert.equal(await outcomes("client_gone"), before + 1);
  assert.equal((await host.call("good")).text, "good");
});

test("a guest that traps inside its answer leaves a broken connection and one line", async () => {
  await host.deploy(
    "trap",
    streaming(`(call $begin) ${push(5)} (call $sleep (f64.const 1)) unreachable`, { text: "begun" }),
  );
  const before = await outcomes("guest_trapped");
  const client = StreamClient.open(host.port, "/fn/trap");
  assert.equal((await client.answer).statusCode, 200);
  assert.deepEqual(await client.rest(), { bytes: 5, whole: false });
  assert.equal(await outcomes("guest_trapped"), before + 1);
  const lines = await messages("trap");
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? "", /^trap: unreachable/);
});

test("to a client of HTTP/1.0 the end is the connection's, and a reset where the answer is not whole", async () => {
  await host.deploy(
    "two",
    streaming(`(call $begin) ${push(5)} (call $sleep (f64.const 20)) ${push(5)} (call $end)`, {
      text: "piece",
    }),
  );
  const connection = await RawConnection.open(host.port);
  connection.write("GET /fn/two HTTP/1.0\r\n\r\n");
  const text = (await connection.rest()).toString();
  assert.doesNotMatch(text, /transfer-encoding|content-length/i);
  assert.match(text, /\r\n\r\npiecepiece$/);
  const broken = await RawConnection.open(host.port);
  const reset = new Promise<string>((resolve) => {
    broken.socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""));
    broken.socket.on("end", () => resolve("end"));
  });
  broken.write("GET /fn/trap HTTP/1.0\r\n\r\n");
  assert.equal(await reset, "ECONNRESET");
});

test("a guest that runs into its time inside its answer is cut off", async () => {
  await host.deploy(
    "late",
    streaming(`(call $begin) ${push(5)} (call $sleep (f64.const 60000)) (call $end)`, { text: "begun" }),
  );
  await host.configure("late", { timeoutMs: 200 });
  const client = StreamClient.open(host.port, "/fn/late");
  assert.deepEqual(await client.rest(), { bytes: 5, whole: false });
  assert.equal(await outcomes("deadline_exceeded"), 1);
  assert.match((await messages("late")).join(), /^stopped: .* ran longer than its limit of 200 ms$/);
});

test("two streams and short calls share one thread", async () => {
  const [one, other] = [1, 2].map(() => StreamClient.open(host.port, "/fn/echo", { method: "POST" }));
  assert.ok(one && other);
  for (let round = 0; round < 20; round += 1) {
    const [piece, another] = [`one ${round}`, `other ${round}`];
    one.request.write(piece);
    other.request.write(another);
    assert.equal((await host.call("good")).text, "good");
    assert.equal((await other.read(another.length)).toString(), another);
    assert.equal((await one.read(piece.length)).toString(), piece);
  }
  for (const client of [one, other]) {
    client.request.end();
    assert.deepEqual(await client.rest(), { bytes: 0, whole: true });
  }
});

test("a hundred streams at rest keep no call from the only thread", async () => {
  const clients = Array.from({ length: 100 }, () =>
    StreamClient.open(host.port, "/fn/echo", { method: "POST" }),
  );
  for (const client of clients) client.request.write("begun");
  await Promise.all(clients.map((client) => client.read(5)));
  assert.equal(await liveCalls(), 100);
  assert.equal((await host.call("good")).text, "good");
  assert.match((await host.ask("GET", "/metrics")).text, /^mayfly_threads 1$/m);
  for (const client of clients) client.request.end();
  for (const client of clients) assert.equal((await client.rest()).whole, true);
});

test("an answer in pieces is joined for a function that fetches it, within the bound of whole ones", async () => {
  await host.deploy("fetcher", fetcher());
  const { fetch } = fetching(host);
  assert.equal((await fetch({ url: "http://two.mayfly.internal/" })).text, "piecepiece");
  const long = `(call $begin) ${times(97, push(65_536))} (call $end)`;
  await host.deploy("long", streaming(long));
  assert.equal((await fetch({ url: "http://long.mayfly.internal/" })).status, 502);
  assert.match((await messages("long")).join(), /^stopped: .* the limit where it is taken whole$/);
});

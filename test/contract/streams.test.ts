// What a client may rely on of answers and requests that are streamed (docs/lifecycle.md, docs/abi.md).

import { strict as assert } from "node:assert";
import { after, test } from "node:test";
import { limits } from "../../host/limits.ts";
import { literal } from "../support/guests.ts";
import { responseMessage } from "../support/messages.ts";
import { RawConnection } from "../support/raw-connection.ts";
import { StreamClient } from "../support/stream-client.ts";
import { push, streamedEcho, streaming } from "../support/stream-guests.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";

const host = await TestHost.start();
after(() => host.close());

const headers: [string, string][] = [
  ["content-type", "text/plain"],
  ["content-length", "3"],
  ["transfer-encoding", "gzip"],
  ["x-own", "yes"],
];
const head = responseMessage({ status: 200, headers });
const noContent = responseMessage({ status: 204 });
/** Waits inside its answer when the path is longer than "/", so that it is one that goes out in pieces. */
const answers = (message: Buffer): Uint8Array =>
  streaming(
    `(call $request_read (i32.const 4096))
    (memory.init $head (i32.const 1024) (i32.const 0) (i32.const ${message.byteLength}))
    (call $response_begin (i32.const 1024) (i32.const ${message.byteLength}))
    ${push(5)}
    (if (i32.gt_u (local.get $bytes) (i32.const 300)) (then (call $sleep (f64.const 20))))
    ${push(5)}
    (call $end)`,
    { text: "piece", fields: `(data $head "${literal(message)}")` },
  );
await host.deploy("answers", answers(head));
await host.deploy("nothing", answers(noContent));
await host.deploy("echo", streamedEcho());
const long = `/${"x".repeat(300)}`;

test("an answer that is whole before its guest leaves the thread is an ordinary one", async () => {
  const answer = await host.ask("GET", "/fn/answers/");
  assert.equal(answer.header("content-length"), "10");
  assert.equal(answer.header("transfer-encoding"), undefined);
  assert.equal(answer.text, "piecepiece");
  assert.equal(answer.header("x-own"), "yes");
  assert.match(
    answer.header("server-timing") ?? "",
    /^queue;dur=[\d.]+, instantiate;dur=[\d.]+, run;dur=[\d.]+$/,
  );
});

test("an answer that goes out in pieces is chunked, and its head says what is known by then", async () => {
  const answer = await host.ask("GET", `/fn/answers${long}`);
  assert.equal(answer.text, "piecepiece");
  assert.equal(answer.header("transfer-encoding"), "chunked");
  assert.equal(answer.header("content-length"), undefined, "the guest's own is dropped");
  assert.equal(answer.header("content-type"), "text/plain");
  assert.equal(answer.header("x-own"), "yes");
  assert.equal(answer.header("x-mayfly-version"), "1");
  assert.match(answer.header("x-mayfly-request-id") ?? "", /^[0-9a-f-]{36}$/);
  assert.match(answer.header("server-timing") ?? "", /^queue;dur=[\d.]+, instantiate;dur=[\d.]+$/);
  assert.equal(answer.header("x-mayfly-cpu-ms"), undefined);
});

for (const [name, method, path, status] of [
  ["in answer to HEAD", "HEAD", "answers", 200],
  ["with 204", "GET", "nothing", 204],
] as const) {
  test(`no body is sent ${name}, and the connection stays in step`, async () => {
    const connection = await RawConnection.open(host.port);
    connection.write(`${method} /fn/${path}${long} HTTP/1.1\r\nHost: h\r\n\r\n`);
    connection.write("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
    const answer = await connection.answer({ head: true });
    assert.equal(answer?.status, status);
    assert.equal((await connection.answer())?.body.toString(), '{"status":"live"}');
    connection.close();
  });
}

test("pipelined answers that go out in pieces come in the order of their requests", async () => {
  const connection = await RawConnection.open(host.port);
  connection.write(`GET /fn/answers${long} HTTP/1.1\r\nHost: h\r\n\r\n`.repeat(3));
  connection.write("GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  const text = (await connection.rest()).toString();
  assert.equal(
    text.match(/5\r\npiece\r\n/g)?.length ?? 0,
    6 - (text.match(/a\r\npiecepiece\r\n/g)?.length ?? 0) * 2,
  );
  assert.match(text, /\r\n0\r\n\r\nHTTP\/1\.1 200 OK\r\n[\s\S]*\{"status":"live"\}$/);
});

test("a body of any announced length up to its limit is streamed, and one beyond it is 413", async () => {
  const lengths = [limits.requestBodyBytesMax + 1, limits.streamedRequestBytesMax];
  for (const length of lengths) {
    const client = StreamClient.open(host.port, "/fn/echo", {
      method: "POST",
      headers: { "content-length": length },
    });
    client.request.write("begun");
    assert.equal((await client.read(5)).toString(), "begun");
    client.close();
  }
  const headers = { "content-length": String(limits.streamedRequestBytesMax + 1) };
  const connection = await RawConnection.open(host.port);
  connection.write(
    `POST /fn/echo HTTP/1.1\r\nHost: h\r\nContent-Length: ${headers["content-length"]}\r\n\r\n`,
  );
  assert.equal((await connection.answer())?.status, 413);
  connection.close();
});

test("a short body, one that is chunked and none at all are read alike", async () => {
  const body = "x".repeat(100_000);
  assert.equal((await host.call("echo", { body: "short" })).text, "short");
  assert.equal((await host.call("echo", { body })).text, body);
  assert.equal((await host.call("echo", { body, headers: { "transfer-encoding": "chunked" } })).text, body);
  assert.equal((await host.ask("GET", "/fn/echo")).text, "");
});

test("what is left of a body can be read whole, within the bound of bodies that come whole", async () => {
  // Reads 3 bytes, then the rest, and answers with the latter.
  const body = `(drop (call $read (i32.const 1024) (i32.const 3)))
    (local.set $n (call $rest))
    (call $result_read (i32.const 1024))
    (call $begin) (call $push (i32.const 1024) (local.get $n)) (call $end)`;
  await host.deploy("rest", streaming(body, { reads: true, pages: 128 }));
  const chunked = { "transfer-encoding": "chunked" };
  assert.equal((await host.call("rest", { body: "abcdef" })).text, "def");
  assert.equal((await host.call("rest", { body: `abc${"d".repeat(200_000)}` })).bytes.byteLength, 200_000);
  assert.equal((await host.call("rest", { body: "ab", headers: chunked })).text, "");
  const atLimit = Buffer.alloc(limits.requestBodyBytesMax + 3);
  assert.equal((await host.call("rest", { body: atLimit })).bytes.byteLength, limits.requestBodyBytesMax);
  const over = Buffer.alloc(limits.requestBodyBytesMax + 4);
  assertProblem(await host.call("rest", { body: over }), 413, "body_too_large");
});

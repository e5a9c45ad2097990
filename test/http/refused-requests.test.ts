// What Node refuses before there is a request to answer: the problem document it gets, its place among
// the other answers of its connection, and that the client can read it.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { responseMessage } from "../support/messages.ts";
import type { RawAnswer } from "../support/raw-connection.ts";
import { BareServer, until } from "./bare-server.ts";

const get = "GET /fn/f HTTP/1.1\r\nHost: h\r\n\r\n";
const post = "POST /fn/f HTTP/1.1\r\nHost: h\r\n";
const connect = "CONNECT evil:80 HTTP/1.1\r\nHost: evil:80\r\n\r\n";

/** Status and code of a problem document (RFC 9457) that is whole and says that the connection ends. */
function lastProblem(answer: RawAnswer | null): string {
  assert.ok(answer !== null, "an answer came");
  const problem = JSON.parse(answer.body.toString()) as Record<string, unknown>;
  assert.equal(answer.header("content-type"), "application/problem+json");
  assert.equal(answer.header("content-length"), String(answer.body.length));
  assert.equal(answer.header("connection"), "close");
  assert.ok(Math.abs(Date.parse(answer.header("date") ?? "") - Date.now()) < 60_000);
  assert.equal(problem["requestId"], answer.header("x-mayfly-request-id"));
  assert.equal(problem["status"], answer.status);
  return `${answer.status} ${problem["code"]}`;
}

const refusals = [
  ["bytes that are no HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "400 bad_request"],
  ["a broken body", `${post}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`, "400 bad_request"],
  ["too large headers", `${post}X-Long: ${"a".repeat(17_000)}\r\n\r\n`, "431 bad_request"],
  [
    "too many headers",
    `${post}${Array.from({ length: 1_001 }, (_, at) => `${at}:\r\n`).join("")}\r\n`,
    "431 bad_request",
  ],
  [
    "too large chunk extensions",
    `${post}Transfer-Encoding: chunked\r\n\r\n1;${"a".repeat(20_000)}\r\nx\r\n0\r\n\r\n`,
    "413 body_too_large",
  ],
  ["no Host", "GET /fn/f HTTP/1.1\r\n\r\n", "400 bad_request"],
  ["an unknown expectation", `${post}Expect: x\r\nContent-Length: 1\r\n\r\na`, "417 bad_request"],
  ["CONNECT", connect, "405 method_not_allowed"],
] as const;
for (const [what, bytes, outcome] of refusals) {
  test(`${what} gets a problem document, and the connection ends`, async (context) => {
    const bare = await BareServer.start(context, { answer: () => responseMessage() });
    const connection = await bare.open();
    assert.equal(lastProblem(await connection.write(bytes).answer()), outcome);
    assert.equal((await connection.rest()).length, 0);
    connection.close();
  });
}

test("headers and bodies that are late are request_timeout", async (context) => {
  const bare = await BareServer.start(context, { answer: () => responseMessage() });
  bare.server.headersTimeout = 100;
  bare.server.requestTimeout = 100;
  for (const start of ["GET /fn/f HT", `${post}X-Slow: `, `${post}Content-Length: 5\r\n\r\nab`]) {
    const connection = await bare.open();
    assert.equal(lastProblem(await connection.write(start).answer()), "408 request_timeout");
    assert.equal((await connection.rest()).length, 0);
    connection.close();
  }
});

for (const [what, bytes, outcome] of [
  ["a malformed request", "x\r\n\r\n", "400 bad_request"],
  ["CONNECT", connect, "405 method_not_allowed"],
] as const) {
  test(`${what} is answered after the requests that came before it`, async (context) => {
    const running = [Promise.withResolvers<Buffer>(), Promise.withResolvers<Buffer>()];
    let calls = 0;
    const bare = await BareServer.start(context, {
      answer: () => running[calls++]?.promise ?? responseMessage(),
    });
    const begun = bare.request();
    const connection = (await bare.open()).write(get + get + bytes);
    await begun;
    // The second ends first, and has its turn after the first all the same.
    running[1]?.resolve(responseMessage({ body: "two" }));
    await new Promise((resolve) => setTimeout(resolve, 50));
    running[0]?.resolve(responseMessage({ body: "one" }));
    assert.equal((await connection.answer())?.body.toString(), "one");
    assert.equal((await connection.answer())?.body.toString(), "two");
    assert.equal(lastProblem(await connection.answer()), outcome);
    assert.equal((await connection.rest()).length, 0);
    connection.close();
  });
}

test("an answer that has begun is not followed by another", async (context) => {
  const bare = await BareServer.start(context, { answer: () => responseMessage() });
  const connection = await bare.open();
  // Refused for its length while its body comes, which then turns out to be broken.
  connection.write(`${post}Transfer-Encoding: chunked\r\n\r\n700000\r\n`).write(Buffer.alloc(0x700000));
  assert.equal(lastProblem(await connection.answer()).slice(0, 3), "413");
  connection.write("no chunk\r\n");
  assert.equal((await connection.rest()).length, 0);
  connection.close();
});

for (const [what, bytes, outcome] of [
  ["too large headers", `${post}X-Long: ${"a".repeat(1_000_000)}`, "431 bad_request"],
  ["CONNECT", connect, "405 method_not_allowed"],
] as const) {
  test(`a client that is still sending after ${what} can read why it is refused`, async (context) => {
    const bare = await BareServer.start(context, { answer: () => responseMessage() });
    const connection = await bare.open();
    connection.socket.pause();
    connection.write(bytes);
    const socket = await bare.socket();
    let sentBytes = bytes.length;
    for (let count = 0; count < 3; count += 1) {
      await until(() => socket.bytesRead === sentBytes);
      connection.write("a".repeat(100_000));
      sentBytes += 100_000;
    }
    connection.socket.resume();
    assert.equal(lastProblem(await connection.answer()), outcome);
    connection.close();
  });

  test(`a client that stays after ${what} is let go`, async (context) => {
    const bare = await BareServer.start(context, { answer: () => responseMessage() });
    const connection = await bare.open();
    connection.socket.pause();
    connection.write(bytes);
    const socket = await bare.socket();
    await until(() => socket.destroyed);
    connection.close();
  });
}

test("a client that resets its connection is no fault", async (context) => {
  const bare = await BareServer.start(context, { answer: () => responseMessage() });
  for (const start of ["", "GET /fn/f HT", `${post}Content-Length: 5\r\n\r\nab`, connect]) {
    const connection = (await bare.open()).write(start);
    // It has not seen that the host ended its side, if it did.
    connection.socket.pause();
    await new Promise((resolve) => setTimeout(resolve, 20));
    connection.socket.resetAndDestroy();
  }
  const connection = await bare.open();
  assert.equal((await connection.write(get).answer())?.status, 200);
  connection.close();
});

// What the client sees of a guest's answer: status, headers and body, and what the host adds.

import { strict as assert } from "node:assert";
import { randomBytes } from "node:crypto";
import { after, test } from "node:test";
import { limits } from "../../host/limits.ts";
import { answering, assemble, echo, order, orderAnswer, puppet } from "../support/guests.ts";
import { type ResponseParts, responseMessage, u32 } from "../support/messages.ts";
import { type RawAnswer, RawConnection } from "../support/raw-connection.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";

const host = await TestHost.start();
after(() => host.close());
await host.deploy("puppet", puppet());
await host.deploy("echo", echo());
/** Answers 200 with as many zero bytes as the number in its body says. */
const sized = assemble(`(module
  (import "mayfly" "request_read" (func $read (param i32)))
  (import "mayfly" "response_write" (func $write (param i32 i32)))
  (memory (export "memory") 110)
  (func (export "mayfly_handle") (param i32) (local $bytes i32)
    (call $read (i32.const 4096))
    (local.set $bytes (i32.load (i32.add (i32.const 4100) (i32.load (i32.const 4096)))))
    (memory.fill (i32.const 0) (i32.const 0) (i32.const 65536))
    (i32.store (i32.const 0) (i32.const 8))
    (i32.store (i32.const 4) (i32.const 200))
    (call $write (i32.const 0) (i32.add (i32.const 12) (local.get $bytes)))))`);
await host.deploy("sized", sized);

/** What comes back on the wire when the guest answers so; the connection then still works. */
async function answered(parts: ResponseParts, method = "POST"): Promise<RawAnswer> {
  const connection = await RawConnection.open(host.port);
  try {
    const body = orderAnswer(responseMessage(parts));
    const head = `${method} /fn/puppet HTTP/1.1\r\nHost: h\r\nContent-Length: ${body.length}\r\n\r\n`;
    const answer = await connection
      .write(head)
      .write(body)
      .answer({ head: method === "HEAD" });
    assert.ok(answer !== null);
    const next = await connection.write("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n").answer();
    assert.equal(next?.body.toString(), '{"status":"live"}');
    return answer;
  } finally {
    connection.close();
  }
}

const named = (answer: RawAnswer, name: string): string[] =>
  answer.lines.filter((line) => line.toLowerCase().startsWith(`${name}:`));

for (const status of [200, 201, 299, 300, 399, 404, 418, 500, 599]) {
  test(`status ${status} and its body arrive`, async () => {
    const answer = await answered({ status, body: "content" });
    assert.deepEqual([answer.status, answer.body.toString()], [status, "content"]);
  });
}

for (const [status, length] of [
  [204, undefined],
  [205, "0"],
  [304, undefined],
] as const) {
  test(`status ${status} has no body, whatever the guest gives`, async () => {
    const answer = await answered({
      status,
      headers: [
        ["x-a", "b"],
        ["content-length", "7"],
      ],
      body: "content",
    });
    assert.equal(answer.status, status);
    assert.equal(answer.header("x-a"), "b");
    assert.equal(answer.header("content-length"), length);
    assert.equal(answer.header("transfer-encoding"), undefined);
  });
}

test("an answer to HEAD has the length of the body and no body", async () => {
  const answer = await answered({ headers: [["x-a", "b"]], body: "content" }, "HEAD");
  assert.deepEqual([answer.status, answer.header("content-length"), answer.header("x-a")], [200, "7", "b"]);
});

test("headers arrive in order and spelling, several set-cookie lines as several", async () => {
  const headers = [
    ["Set-Cookie", "a=1; Path=/"],
    ["X-Bytes", "caf\xe9\x80\xff"],
    ["set-cookie", "b=2"],
    ["X-Empty", ""],
    ["set-cookie", "c=3"],
    ["content-type", "text/html; charset=utf-8"],
  ] as const;
  const answer = await answered({ headers });
  const sent = headers.map(([name, value]) => `${name}: ${value}`);
  assert.deepEqual(answer.lines.slice(0, headers.length), sent);
});

test("an answer carries request id, version and the phases that took place, which the guest cannot forge", async () => {
  const forged = [
    ["x-mayfly-request-id", "f"],
    ["X-Mayfly-Version", "99"],
    ["Server-Timing", "f;dur=1"],
    ["x-mayfly-cpu-ms", "f"],
  ] as const;
  const answer = await answered({ headers: forged });
  assert.deepEqual(named(answer, "x-mayfly-version"), ["x-mayfly-version: 1"]);
  assert.equal(named(answer, "x-mayfly-request-id").length, 1);
  assert.match(answer.header("x-mayfly-request-id") ?? "", /^[0-9a-f-]{36}$/);
  assert.equal(named(answer, "server-timing").length, 1);
  assert.match(named(answer, "x-mayfly-cpu-ms").join(), /^x-mayfly-cpu-ms: \d+\.\d+$/);
  const timing = answer.header("server-timing") ?? "";
  for (const phase of timing.split(", "))
    assert.match(phase, /^(queue|load|compile|instantiate|run|wait);dur=\d+\.\d+$/);
  for (const phase of ["queue", "instantiate", "run"]) assert.ok(timing.includes(`${phase};`), timing);
});

test("the first call after a start shows load and compile; a second one, and one after a deploy, do not", async () => {
  const first = await TestHost.start();
  const timing = async (from: TestHost): Promise<string> =>
    (await from.call("cold")).header("server-timing") ?? "";
  await first.deploy("cold", answering("cold"));
  assert.doesNotMatch(await timing(first), /load|compile/);
  const { dataDir } = first;
  await first.close({ keepData: true });
  const second = await TestHost.start({ dataDir });
  assert.match(await timing(second), /load;dur=.*compile;dur=.*run;dur=/);
  assert.doesNotMatch(await timing(second), /load|compile/);
  await second.close();
});

test("an error of the guest carries request id, version and phases too", async () => {
  const answer = await host.call("puppet", { body: order("trap") });
  assertProblem(answer, 502, "guest_trapped");
  assert.equal(answer.header("x-mayfly-version"), "1");
  assert.match(answer.header("server-timing") ?? "", /instantiate;dur=.*run;dur=/);
});

for (const bytes of [0, 1, 16_384, 16_385, 65_536, 1_000_000]) {
  test(`${bytes} random bytes come back unchanged`, async () => {
    const body = randomBytes(bytes);
    const answer = await host.call("echo", { body });
    assert.equal(answer.status, 200);
    assert.ok(answer.bytes.equals(body));
  });
}

test("a request body is taken up to its limit and refused one byte beyond it", async () => {
  const max = limits.requestBodyBytesMax;
  const body = randomBytes(max + 1);
  for (const bytes of [max - 1, max]) {
    const answer = await host.call("echo", { body: body.subarray(0, bytes) });
    assert.equal(answer.status, 200, answer.text.slice(0, 300));
    assert.ok(answer.bytes.equals(body.subarray(0, bytes)));
  }
  assertProblem(await host.call("echo", { body }), 413, "body_too_large");
  const chunked = await host.call("echo", { body, headers: { "transfer-encoding": "chunked" } });
  assertProblem(chunked, 413, "body_too_large");
});

test("a response body is taken up to its limit and refused one byte beyond it", async () => {
  const max = limits.responseBodyBytesMax;
  for (const bytes of [max - 1, max]) {
    const answer = await host.call("sized", { body: u32(bytes) });
    assert.deepEqual([answer.status, answer.bytes.length], [200, bytes]);
  }
  for (const bytes of [max + 1, max + 200_000]) {
    assertProblem(await host.call("sized", { body: u32(bytes) }), 502, "bad_guest_output");
  }
});

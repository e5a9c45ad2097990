// docs/threat-model.md B1-B7: answers by which a guest tries to harm the connection, the client or the host.

import { strict as assert } from "node:assert";
import { after, test } from "node:test";
import { limits } from "../../host/limits.ts";
import { orderAnswer, puppet } from "../support/guests.ts";
import { type ResponseParts, responseMessage, u32 } from "../support/messages.ts";
import { type RawAnswer, RawConnection } from "../support/raw-connection.ts";
import { TestHost } from "../support/test-host.ts";

const host = await TestHost.start();
after(() => host.close());
await host.deploy("puppet", puppet());

/** Lets the guest answer with this message on a connection that then must still be in step. */
async function answered(message: Uint8Array): Promise<RawAnswer> {
  const connection = await RawConnection.open(host.port);
  try {
    const body = orderAnswer(message);
    // Pipelined: were the first answer split or short, the second would not be what it is.
    connection
      .write(`POST /fn/puppet HTTP/1.1\r\nHost: h\r\nContent-Length: ${body.length}\r\n\r\n`)
      .write(body);
    connection.write("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
    const answer = await connection.answer();
    assert.ok(answer !== null, "the connection ended without an answer");
    const next = await connection.answer();
    assert.deepEqual([next?.status, next?.body.toString()], [200, '{"status":"live"}']);
    return answer;
  } finally {
    connection.close();
  }
}

const withHeaders = (...headers: [string, string][]): ResponseParts => ({ headers, body: "body" });

async function isBad(message: Uint8Array, what = ""): Promise<void> {
  const answer = await answered(message);
  assert.equal(answer.status, 502, what);
  assert.equal(JSON.parse(answer.body.toString()).code, "bad_guest_output", what);
}

const dropped: readonly [string, string][] = [
  ["content-length", "0"],
  ["Content-Length", "2"],
  ["content-length", "9999"],
  ["content-length", "-1"],
  ["content-length", "x"],
  ["transfer-encoding", "chunked"],
  ["Transfer-Encoding", "gzip, chunked"],
  ["connection", "close"],
  ["connection", "upgrade"],
  ["keep-alive", "timeout=999"],
  ["proxy-connection", "x"],
  ["proxy-authenticate", "Basic"],
  ["proxy-authorization", "x"],
  ["te", "trailers"],
  ["trailer", "x-t"],
  ["upgrade", "websocket"],
  ["date", "Thu, 01 Jan 1970 00:00:00 GMT"],
];
for (const [name, value] of dropped) {
  test(`B1-B3: a guest's ${name}: ${value} is dropped and the host's own framing holds`, async () => {
    const answer = await answered(responseMessage(withHeaders([name, value], ["x-kept", "1"])));
    assert.equal(answer.status, 200);
    assert.equal(answer.body.toString(), "body");
    assert.deepEqual(
      answer.lines.filter((line) => /^content-length:/i.test(line)),
      ["content-length: 4"],
    );
    assert.equal(answer.header("x-kept"), "1");
    for (const line of answer.lines) assert.notEqual(line.toLowerCase(), `${name}: ${value}`.toLowerCase());
    assert.equal(answer.header("transfer-encoding"), undefined);
  });
}

test("B3: headers that the guest's connection header lists are dropped", async () => {
  const headers: [string, string][] = [
    ["X-Hop", "1"],
    ["connection", "x-hop , X-OTHER"],
    ["x-other", "2"],
    ["x-kept", "3"],
  ];
  const answer = await answered(responseMessage(withHeaders(...headers)));
  assert.equal(answer.lines.filter((line) => /^x-(hop|other)/i.test(line)).length, 0);
  assert.equal(answer.header("x-kept"), "3");
});

test("B4: a header value may hold any byte but control characters, and nothing beyond a byte", async () => {
  const allowed = (code: number): boolean => code === 9 || (code >= 32 && code !== 127);
  const codes = [...Array(33).keys(), 34, 44, 126, 127, 128, 133, 160, 254, 255];
  for (const code of codes) {
    const value = `a${String.fromCharCode(code)}b`;
    const answer = await answered(responseMessage(withHeaders(["x-v", value])));
    assert.equal(answer.status, allowed(code) ? 200 : 502, `byte ${code}`);
    if (allowed(code)) assert.equal(answer.header("x-v"), value, `byte ${code}`);
  }
  for (const value of [
    "\u0100",
    "\u20ac",
    "\u{1f600}",
    "\u010a\u010d",
    "a\r\nx-injected: 1",
    "\r\n\r\nHTTP/1.1 200 OK",
  ]) {
    await isBad(responseMessage(withHeaders(["x-v", value])), JSON.stringify(value));
  }
});

test("B4: a header name is a token or the answer is bad", async () => {
  for (const name of [
    "",
    " ",
    "a b",
    "a:",
    "a\n",
    "a\r\nb",
    "a\0",
    "caf\u00e9",
    "(a)",
    "a,b",
    'a"',
    "a/b",
    "[a]",
    "\u20ac",
    ":status",
  ]) {
    await isBad(responseMessage(withHeaders([name, "v"])), JSON.stringify(name));
  }
  const answer = await answered(
    responseMessage(withHeaders(["__proto__", "1"], ["constructor", "2"], ["!#$%&'*+-.^_`|~9aZ", "3"])),
  );
  assert.deepEqual(answer.lines.slice(0, 3), ["__proto__: 1", "constructor: 2", "!#$%&'*+-.^_`|~9aZ: 3"]);
});

test("B5: a status that is none of 200 to 599 is bad", async () => {
  for (const status of [0, 1, 99, 100, 101, 103, 199, 600, 999, 1000, 99_999, 65_736, 2 ** 31, 2 ** 32 - 1]) {
    await isBad(responseMessage({ status, body: "x" }), String(status));
  }
});

test("B6: headers are bounded in number and bytes, at the limit and one beyond", async () => {
  const count = (n: number): Buffer =>
    responseMessage(withHeaders(...Array.from({ length: n }, (_, at): [string, string] => [`x-${at}`, ""])));
  assert.equal((await answered(count(limits.responseHeadersMax))).status, 200);
  await isBad(count(limits.responseHeadersMax + 1));
  await isBad(count(5_000));
  const name = "x-long";
  const long = (bytes: number): Buffer =>
    responseMessage(withHeaders([name, "v".repeat(bytes - name.length)]));
  assert.equal((await answered(long(limits.responseHeaderBytesMax))).status, 200);
  await isBad(long(limits.responseHeaderBytesMax + 1));
});

test("B7: content that could mislead a browser passes as the guest's own, under the guest's own path", async () => {
  const headers: [string, string][] = [
    ["location", "javascript:alert(1)"],
    ["set-cookie", "a=b; Domain=localhost"],
  ];
  const answer = await answered(responseMessage({ status: 302, headers }));
  assert.equal(answer.status, 302);
  assert.equal(answer.header("location"), "javascript:alert(1)");
});

test("a message that breaks its own layout is bad", async () => {
  const good = responseMessage(withHeaders(["x-a", "b"]));
  const patched = (offset: number, value: number): Buffer => {
    const copy = Buffer.from(good);
    copy.writeUInt32LE(value >>> 0, offset);
    return copy;
  };
  for (let length = 0; length < good.length - 4; length += 1)
    await isBad(good.subarray(0, length), `cut at ${length}`);
  for (const value of [0, 1, 4, 7, 22, 24, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 5, 2 ** 32 - 4, 2 ** 32 - 1]) {
    for (const offset of [0, 8, 12, 19]) {
      if (good.readUInt32LE(offset) !== value) await isBad(patched(offset, value), `${value} at ${offset}`);
    }
  }
  await isBad(Buffer.concat([u32(8), u32(200), u32(2 ** 32 - 1)]), "4 billion headers");
  const invalid = Buffer.from(good);
  invalid[16] = 0xff;
  await isBad(invalid, "a header name that is not UTF-8");
});

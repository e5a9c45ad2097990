// What the guest sees of a request: method, path, query, headers and body, byte for byte.

import { strict as assert } from "node:assert";
import { randomBytes } from "node:crypto";
import { after, test } from "node:test";
import { answering, mirror } from "../support/guests.ts";
import { readRequestMessage, type SeenRequest } from "../support/messages.ts";
import { RawConnection, rawAsk } from "../support/raw-connection.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";

const host = await TestHost.start();
after(() => host.close());
await host.deploy("mirror", answering("an older version"));
await host.deploy("mirror", mirror());

/** Sends a request as it is and reads what the guest saw. */
async function seen(head: string, body: string | Uint8Array = ""): Promise<SeenRequest> {
  const connection = await RawConnection.open(host.port);
  try {
    const answer = await connection
      .write(`${head}\r\n\r\n`)
      .write(Buffer.from(body as string))
      .answer();
    assert.equal(answer?.status, 200, String(answer?.body));
    return readRequestMessage(answer?.body ?? Buffer.alloc(0));
  } finally {
    connection.close();
  }
}

for (const method of ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "QUERY", "PURGE"]) {
  test(`the guest sees the method ${method}`, async () => {
    assert.equal(
      (await seen(`${method} /fn/mirror HTTP/1.1\r\nHost: h\r\nContent-Length: 0`)).method,
      method,
    );
  });
}

const targets: readonly (readonly [target: string, path: string, query: string])[] = [
  ["/fn/mirror", "/", ""],
  ["/fn/mirror/", "/", ""],
  ["/fn/mirror?", "/", ""],
  ["/fn/mirror?a=1&b=%20+c", "/", "a=1&b=%20+c"],
  ["/fn/mirror/a/b%2Fc/%E2%82%AC", "/a/b%2Fc/%E2%82%AC", ""],
  ["/fn/mirror//double///slash", "//double///slash", ""],
  ["/fn/mirror/../../etc/passwd", "/../../etc/passwd", ""],
  ["/fn/mirror/./a/%2e%2e/b", "/./a/%2e%2e/b", ""],
  ["/fn/mirror/%00%0d%0a", "/%00%0d%0a", ""],
  ["/fn/mirror/%zz%", "/%zz%", ""],
  ["/fn/mirror/x?y?z=/fn/other", "/x", "y?z=/fn/other"],
  ["/fn/mirror/@1/x", "/@1/x", ""],
  ["/fn/mirror@2/x", "/x", ""],
  ["http://h/fn/mirror/absolute?q", "/absolute", "q"],
];
for (const [target, path, query] of targets) {
  test(`the path and query of ${target} arrive as sent`, async () => {
    const request = await seen(`GET ${target} HTTP/1.1\r\nHost: h`);
    assert.deepEqual([request.path, request.query], [path, query]);
    assert.equal(request.url, target.startsWith("/") ? `http://h${target}` : target);
    assert.equal(request.remoteAddress, "127.0.0.1");
  });
}

test("headers arrive in order, with lower-case names, repeated ones too, values as bytes", async () => {
  const sent = "X-One:  spaced \r\nx-two: a,b\r\nX-ONE: again\r\nX-Bytes: caf\xe9 \x80\xff\r\nX-Empty:";
  const { headers } = await seen(`GET /fn/mirror HTTP/1.1\r\nHost: h\r\n${sent}`);
  assert.deepEqual(headers, [
    ["host", "h"],
    ["x-one", "spaced"],
    ["x-two", "a,b"],
    ["x-one", "again"],
    ["x-bytes", "caf\xe9 \x80\xff"],
    ["x-empty", ""],
  ]);
});

test("headers that concern one hop only do not arrive, those that Connection lists included", async () => {
  const sent = [
    "Connection: close, X-Hop",
    "X-Hop: 1",
    "Keep-Alive: timeout=5",
    "TE: trailers",
    "Proxy-Authorization: x",
    "Proxy-Connection: y",
    "Upgrade: websocket",
    "Transfer-Encoding: chunked",
    "X-Kept: 2",
  ];
  const request = await seen(
    `POST /fn/mirror HTTP/1.1\r\nHost: h\r\n${sent.join("\r\n")}`,
    "3\r\nabc\r\n0\r\n\r\n",
  );
  assert.deepEqual(request.headers, [
    ["host", "h"],
    ["x-kept", "2"],
  ]);
  assert.equal(request.body.toString(), "abc");
});

test("headers are never dropped for their number: 900 arrive, and more than 1,000 are 431", async () => {
  const names = Array.from({ length: 1_001 }, (_, at) => `${at.toString(36)}:`);
  const head = "GET /fn/mirror HTTP/1.1\r\nHost: h\r\n";
  const { headers } = await seen(`${head}${names.slice(0, 900).join("\r\n")}`);
  assert.equal(headers.length, 901);
  const answer = await rawAsk(host.port, `${head}${names.join("\r\n")}\r\n\r\n`);
  assert.equal(answer?.status, 431);
});

for (const bytes of [0, 1, 4_095, 65_535, 65_536, 70_000, 1_000_000]) {
  test(`a body of ${bytes} random bytes arrives unchanged`, async () => {
    const body = randomBytes(bytes);
    const request = await seen(`POST /fn/mirror HTTP/1.1\r\nHost: h\r\nContent-Length: ${bytes}`, body);
    assert.ok(request.body.equals(body));
  });
}

test("a chunked body arrives whole, without extensions and trailers", async () => {
  const body = '5;ext="x"\r\nhello\r\n1\r\n!\r\n0\r\nX-Trailer: 1\r\n\r\n';
  const request = await seen("POST /fn/mirror HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked", body);
  assert.equal(request.body.toString(), "hello!");
  assert.ok(!request.headers.some(([name]) => name === "x-trailer"));
});

test("a body announced with Expect: 100-continue is asked for and arrives", async () => {
  const connection = await RawConnection.open(host.port);
  try {
    connection.write(
      "POST /fn/mirror HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n",
    );
    assert.equal((await connection.answer())?.status, 100);
    const answer = await connection.write("ok").answer();
    assert.equal(readRequestMessage(answer?.body ?? Buffer.alloc(0)).body.toString(), "ok");
  } finally {
    connection.close();
  }
});

test("@version pins one, and a pin that is none is function_not_found", async () => {
  assert.equal((await host.ask("GET", "/fn/mirror@1")).text, "an older version");
  assert.equal((await host.ask("GET", "/fn/mirror@1")).header("x-mayfly-version"), "1");
  assert.equal((await host.ask("GET", "/fn/mirror@2")).header("x-mayfly-version"), "2");
  for (const pin of ["3", "0", "-1", "01", "1.0", "", "latest", "1e0", "9999999999", "1%20", "@1"]) {
    assertProblem(await host.ask("GET", `/fn/mirror@${pin}`), 404, "function_not_found");
  }
});

test("under NAME.localhost every path goes to the function, /v1 and /healthz included", async () => {
  for (const path of [
    "/",
    "/v1/functions",
    "/v1/functions/mirror",
    "/healthz",
    "/metrics",
    "/fn/other",
    "/a%2Fb",
  ]) {
    for (const name of [`mirror.localhost:${host.port}`, "MIRROR.localhost", "mirror.localhost."]) {
      const request = await seen(`DELETE ${path}?q HTTP/1.1\r\nHost: ${name}`);
      assert.deepEqual([request.path, request.query], [path, "q"]);
      assert.equal(request.url, `http://${name}${path}?q`);
    }
  }
  assert.equal((await host.ask("GET", "/v1/functions/mirror")).status, 200);
});

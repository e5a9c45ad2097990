// Holds `mayfly invoke` to docs/cli.md against a fake host: the request as typed, the answer's bytes
// untouched, exit code 1 from status 400 on.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { problem, startFakeHost } from "./fake-host.ts";
import { withFolder } from "./fixtures.ts";
import { cli } from "./run-cli.ts";

const everyByte = Buffer.from(Array.from({ length: 256 }, (_, index) => index));

const targets: [argv: string[], wanted: string][] = [
  [["hello"], "/fn/hello"],
  [["hello", "/"], "/fn/hello/"],
  [["hello", "a/b"], "/fn/hello/a/b"],
  [["hello", "?q=1"], "/fn/hello?q=1"],
  [["hello@2", "/x"], "/fn/hello@2/x"],
  [["hello", '/a/%2e%2E/%2f/../b?x=%20+%zz&y={"}'], '/fn/hello/a/%2e%2E/%2f/../b?x=%20+%zz&y={"}'],
  [["hello", "/a b/ü#c\\"], "/fn/hello/a%20b/%C3%BC%23c\\"],
];

for (const [argv, wanted] of targets) {
  test(`invoke ${argv.join(" ")} asks for ${wanted}`, async () => {
    await using host = await startFakeHost();
    host.answer = (_request, response) => response.end("ok");
    const { exitCode, stdout, stderr } = await cli(["invoke", ...argv, "--url", host.url]);
    assert.equal(exitCode, 0, stderr);
    assert.equal(stdout, "ok");
    assert.equal(stderr, "");
    assert.equal(host.received[0]?.target, wanted);
    assert.equal(host.received[0]?.method, "GET");
  });
}

test("invoke puts the function behind the path of --url", async () => {
  await using host = await startFakeHost();
  host.answer = (_request, response) => response.end();
  await cli(["invoke", "hello", "/x", "--url", `${host.url}/behind/proxy/`]);
  assert.equal(host.received[0]?.target, "/behind/proxy/fn/hello/x");
});

test("invoke -d sends a POST with the bytes of the argument, a file or stdin", async () => {
  await using host = await startFakeHost();
  host.answer = (_request, response) => response.end();
  await withFolder(async (cwd) => {
    await writeFile(join(cwd, "every.bin"), everyByte);
    const url = ["--url", host.url];
    await cli(["invoke", "hello", "-d", "späte", ...url], { cwd });
    await cli(["invoke", "hello", "-d", "@every.bin", ...url], { cwd });
    await cli(["invoke", "hello", "-d", "@-", "-X", "PUT", ...url], { cwd, stdin: everyByte });
    await cli(["invoke", "hello", "-d", "", ...url], { cwd });
    await cli(["invoke", "hello", "-X", "delete", ...url], { cwd });
    const missing = await cli(["invoke", "hello", "-d", "@gone", ...url], { cwd });
    assert.equal(missing.exitCode, 1);
    assert.equal(missing.stderr, 'Cannot read "gone": there is no such file or folder\n');
  });
  const sent = host.received.map(({ method, headers }) => `${method} ${headers["content-length"] ?? "-"}`);
  assert.deepEqual(sent, ["POST 6", "POST 256", "PUT 256", "POST 0", "delete -"].map(upperFirstWord));
  assert.equal(host.received[0]?.body.toString(), "späte");
  assert.deepEqual(host.received[1]?.body, everyByte);
  assert.deepEqual(host.received[2]?.body, everyByte);
});

test("invoke -H sends headers, also twice the same, and never the host's token", async () => {
  await using host = await startFakeHost();
  host.answer = (_request, response) => response.end();
  const headers = ["-H", "X-One: a", "-H", "x-one:b", "-H", "host: other.localhost", "-H", "x-utf8: ü"];
  const env = { MAYFLY_TOKEN: "s3cret" };
  const { exitCode } = await cli(["invoke", "hello", ...headers, "--url", host.url, "--token", "s3cret"], {
    env,
  });
  assert.equal(exitCode, 0);
  const received = host.received[0]?.headers;
  assert.equal(received?.["x-one"], "a, b");
  assert.equal(received?.host, "other.localhost");
  assert.equal(Buffer.from(String(received?.["x-utf8"]), "latin1").toString(), "ü");
  assert.equal(received?.authorization, undefined);
});

test("invoke writes the body's bytes as they are, compressed ones too", async () => {
  await using host = await startFakeHost();
  const packed = gzipSync(everyByte);
  host.answer = (_request, response) => response.writeHead(200, { "content-encoding": "gzip" }).end(packed);
  const gzip = await cli(["invoke", "hello", "--url", host.url]);
  assert.deepEqual(gzip.stdoutBytes, packed);
  const large = Buffer.alloc(3_000_000, everyByte);
  host.answer = (_request, response) => response.end(large);
  const whole = await cli(["invoke", "hello", "--url", host.url]);
  assert.ok(whole.stdoutBytes.equals(large));
});

test("invoke -i prints the status line and the headers first, and follows no redirect", async () => {
  await using host = await startFakeHost();
  host.answer = (_request, response) => {
    response.sendDate = false;
    response.writeHead(302, "Found", ["Location", "/there", "Set-Cookie", "a=1", "Set-Cookie", "b=2"]);
    response.end("gone");
  };
  const { exitCode, stdout } = await cli(["invoke", "hello", "-i", "--url", host.url]);
  assert.equal(exitCode, 0);
  const [head, body] = stdout.split("\r\n\r\n");
  const lines = head?.split("\r\n") ?? [];
  assert.deepEqual(lines.slice(0, 4), [
    "HTTP/1.1 302 Found",
    "Location: /there",
    "Set-Cookie: a=1",
    "Set-Cookie: b=2",
  ]);
  assert.equal(body, "gone");
});

test("invoke exits 1 from status 400 on, with the body on stdout and the reason on stderr", async () => {
  await using host = await startFakeHost();
  host.answer = (_request, response) => response.writeHead(404).end("no page");
  const plain = await cli(["invoke", "hello", "--url", host.url]);
  assert.equal(plain.exitCode, 1);
  assert.equal(plain.stdout, "no page");
  assert.equal(plain.stderr, "HTTP 404 Not Found\n");
  host.answer = (_request, response) => problem(response, 504, "deadline_exceeded", "The call took too long");
  const document = await cli(["invoke", "hello", "--url", host.url]);
  assert.equal(document.exitCode, 1);
  assert.equal(JSON.parse(document.stdout).code, "deadline_exceeded");
  assert.equal(document.stderr, "HTTP 504 Gateway Timeout: deadline_exceeded: The call took too long\n");
  host.answer = (_request, response) => response.writeHead(399).end();
  assert.equal((await cli(["invoke", "hello", "--url", host.url])).exitCode, 0);
});

test("invoke --json prints status, headers and the body as text or base64", async () => {
  await using host = await startFakeHost();
  host.answer = (_request, response) => response.writeHead(418, { "x-a": "b" }).end("\ufeffkurz");
  const text = await cli(["invoke", "hello", "--json", "--url", host.url]);
  assert.equal(text.exitCode, 1);
  const first = JSON.parse(text.stdout);
  assert.equal(first.status, 418);
  assert.equal(first.headers["x-a"], "b");
  assert.equal(first.body, "\ufeffkurz");
  assert.equal(first.bodyEncoding, "text");
  host.answer = (_request, response) => response.end(everyByte);
  const second = JSON.parse((await cli(["invoke", "hello", "--json", "--url", host.url])).stdout);
  assert.equal(second.bodyEncoding, "base64");
  assert.deepEqual(Buffer.from(second.body, "base64"), everyByte);
});

test("invoke fails when the answer is cut short or the host is not there", async () => {
  const host = await startFakeHost();
  host.answer = (_request, response) => {
    response.writeHead(200, { "content-length": "10" });
    response.write("half");
    setTimeout(() => response.destroy(), 20);
  };
  const cut = await cli(["invoke", "hello", "--url", host.url]);
  await host[Symbol.asyncDispose]();
  assert.equal(cut.exitCode, 1);
  assert.equal(cut.stdout, "half");
  assert.match(cut.stderr, /^The host at .* cut the answer short/);
  const gone = await cli(["invoke", "hello", "--url", host.url]);
  assert.equal(gone.exitCode, 1);
  assert.match(gone.stderr, /start one with "mayfly serve"\n$/);
});

function upperFirstWord(text: string): string {
  return text.replace(/^\w+/, (word) => word.toUpperCase());
}

// Signed URLs and forms: what a browser does without a token.

import { strict as assert } from "node:assert";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { BlobLinks } from "../../host/services/blob-links.ts";
import { rawAsk } from "../support/raw-connection.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";

const token = "a-token-of-the-test";
const page = { origin: "https://page.test", "sec-fetch-site": "cross-site" };
let host: TestHost;
before(async () => {
  host = await TestHost.start({ token });
});
after(() => host.close());

type Ask = Readonly<Record<string, unknown>>;
type Link = { url: string; path: string; method: string; expiresAt: string };

async function link(ask: Ask): Promise<Link> {
  const answer = await host.ask("POST", "/v1/links", {
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify(ask),
  });
  assert.equal(answer.status, 201, answer.text);
  return answer.json() as Link;
}

const byPage = (method: string, path: string, body?: string | Uint8Array, headers = {}) =>
  host.ask(method, path, { ...(body === undefined ? {} : { body }), headers: { ...page, ...headers } });

function form(parts: readonly { name: string; file?: string; type?: string; text: string }[]) {
  const boundary = "----boundary-of-the-test";
  const text = parts.map(({ name, file, type, text: content }) => {
    const named = file === undefined ? "" : `; filename="${file}"`;
    const typed = type === undefined ? "" : `Content-Type: ${type}\r\n`;
    return `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${named}\r\n${typed}\r\n${content}\r\n`;
  });
  return {
    body: `${text.join("")}--${boundary}--\r\n`,
    headers: { "content-type": `multipart/form-data; boundary=${boundary}` },
  };
}

test("a page puts and gets by signed URLs without a token", async () => {
  const put = await link({
    method: "PUT",
    bucket: "up",
    key: "a b/ü.png",
    contentType: "image/",
    bytesMax: 8,
  });
  assert.equal(put.url, `http://127.0.0.1:${host.port}${put.path}`);
  const preflight = await byPage("OPTIONS", put.path, undefined, {
    "access-control-request-method": "PUT",
    "access-control-request-headers": "content-type",
  });
  assert.equal(preflight.status, 204);
  assert.equal(preflight.header("access-control-allow-origin"), "*");
  assert.equal(preflight.header("access-control-allow-methods"), "PUT");
  assert.equal(preflight.header("access-control-allow-headers"), "content-type");
  const stored = await byPage("PUT", put.path, "12345678", { "content-type": "image/png" });
  assert.equal(stored.status, 201, stored.text);
  assert.equal(stored.header("access-control-allow-origin"), "*");
  const get = await link({ method: "GET", bucket: "up", key: "a b/ü.png" });
  const read = await byPage("GET", get.path);
  assert.deepEqual([read.status, read.text, read.header("content-type")], [200, "12345678", "image/png"]);
  assert.equal((await byPage("HEAD", get.path)).status, 200);
  assert.equal((await byPage("GET", get.path, undefined, { range: "bytes=1-2" })).text, "23");
});

test("a link allows what it says and nothing else", async () => {
  const put = await link({ method: "PUT", bucket: "one", key: "k", contentType: "text/plain", bytesMax: 4 });
  const typed = { "content-type": "text/plain; charset=utf-8" };
  const refused = [
    await byPage("GET", put.path),
    await byPage("DELETE", put.path),
    await byPage("PUT", put.path.replace("/one/k", "/one/other"), "x", typed),
    await byPage("PUT", put.path.replace("/one/k", "/two/k"), "x", typed),
    await byPage("PUT", put.path.replace("max=4", "max=400"), "x", typed),
    await byPage("PUT", put.path.replace(/expires=\d+/, "expires=99999999999"), "x", typed),
    await byPage("PUT", `${put.path}&more=1`, "x", typed),
    await byPage("PUT", put.path.replace(/signature=.*/, "signature="), "x", typed),
    await byPage("PUT", put.path.replace(/signature=./, "signature=!"), "x", typed),
    await byPage("PUT", put.path, "x", { "content-type": "text/html" }),
    await byPage("OPTIONS", put.path, undefined, { "access-control-request-method": "DELETE" }),
  ];
  for (const answer of refused) {
    assertProblem(answer, 403, "link_refused");
    assert.equal(answer.header("access-control-allow-origin"), "*");
  }
  assertProblem(await byPage("PUT", put.path, "12345", typed), 413, "blob_too_large");
  const chunked = `PUT ${put.path} HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\nconnection: close`;
  assert.equal((await rawAsk(host.port, `${chunked}\r\n\r\n5\r\n12345\r\n0\r\n\r\n`))?.status, 413);
  assert.equal((await byPage("PUT", put.path, "1234", typed)).status, 201);
  // Without a signature the guard stands as it did.
  assertProblem(await byPage("GET", "/v1/blobs/one/k"), 403, "origin_refused");
  assertProblem(await host.ask("GET", "/v1/blobs/one/k"), 401, "unauthorized");
  assertProblem(await byPage("GET", `/v1/blobs/one?${put.path.split("?")[1]}`), 403, "origin_refused");
  assertProblem(await byPage("GET", `/v1/kv/one/k?signature=x`), 403, "origin_refused");
});

test("links expire, and are those of one key", async () => {
  let nowMs = 1_800_000_000_000;
  const key = Buffer.alloc(32, 1);
  const links = new BlobLinks(
    () => key,
    () => nowMs,
  );
  const { path } = links.sign({ method: "GET", bucket: "b", key: "k", expiresInS: 60 }, "default");
  const query = new URLSearchParams(path.split("?")[1]);
  links.verify("GET", "b", "k", query);
  links.verify("HEAD", "b", "k", query);
  nowMs += 60_000;
  links.verify("GET", "b", "k", query);
  nowMs += 1;
  assert.throws(() => links.verify("GET", "b", "k", query), /expired/);
  const others = new BlobLinks(
    () => Buffer.alloc(32, 2),
    () => nowMs - 60_000,
  );
  assert.throws(() => others.verify("GET", "b", "k", query), /signature/);
});

test("a link that cannot be is refused", async () => {
  const bad: Ask[] = [
    { method: "DELETE", bucket: "b", key: "k" },
    { method: "GET", bucket: "b" },
    { method: "GET", bucket: "b", key: "" },
    { method: "GET", bucket: "No", key: "k" },
    { method: "GET", bucket: "b", key: "k", expiresInS: 0 },
    { method: "GET", bucket: "b", key: "k", expiresInS: 1e9 },
    { method: "GET", bucket: "b", key: "k", surprise: 1 },
  ];
  for (const ask of bad) {
    const answer = await host.ask("POST", "/v1/links", {
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify(ask),
    });
    assert.equal(answer.status, 400, `${JSON.stringify(ask)} ${answer.text}`);
  }
});

test("a form of a page stores its files together, under the key or behind a folder", async () => {
  const folder = await link({ method: "POST", bucket: "forms", key: "in/" });
  const two = form([
    { name: "x-mayfly-meta-by", text: "Ada" },
    { name: "a", file: "one.txt", type: "text/plain", text: "first" },
    { name: "b", file: "C:\\dir\\two.bin", type: "application/octet-stream", text: "" },
  ]);
  const stored = await byPage("POST", folder.path, two.body, two.headers);
  assert.equal(stored.status, 201, stored.text);
  const { blobs } = stored.json() as { blobs: { key: string; bytes: number }[] };
  assert.deepEqual(
    blobs.map(({ key, bytes }) => [key, bytes]),
    [
      ["in/one.txt", 5],
      ["in/two.bin", 0],
    ],
  );
  const read = await byPage("GET", (await link({ method: "GET", bucket: "forms", key: "in/one.txt" })).path);
  assert.deepEqual(
    [read.text, read.header("content-type"), read.header("x-mayfly-meta-by")],
    ["first", "text/plain", "Ada"],
  );
  const exact = await link({ method: "POST", bucket: "forms", key: "exact", bytesMax: 5 });
  const one = form([{ name: "f", file: "x.txt", type: "text/plain", text: "12345" }]);
  assert.equal((await byPage("POST", exact.path, one.body, one.headers)).status, 201);
  assertProblem(await byPage("POST", exact.path, two.body, two.headers), 400, "bad_request");
  const same = form([
    { name: "a", file: "same.txt", type: "text/plain", text: "1" },
    { name: "b", file: "dir/same.txt", type: "text/plain", text: "2" },
  ]);
  assertProblem(await byPage("POST", folder.path, same.body, same.headers), 400, "bad_request");
  const large = form([{ name: "f", file: "x.txt", type: "text/plain", text: "123456" }]);
  assertProblem(await byPage("POST", exact.path, large.body, large.headers), 413, "blob_too_large");
});

test("a form that is none, or is cut short, stores nothing of it", async () => {
  const { path } = await link({ method: "POST", bucket: "bad-forms", key: "" });
  const whole = form([
    { name: "a", file: "one.txt", type: "text/plain", text: "first" },
    { name: "b", file: "two.txt", type: "text/plain", text: "x".repeat(100_000) },
  ]);
  const nameless = form([{ name: "a", file: "", type: "text/plain", text: "x" }]);
  const textOnly = form([{ name: "a", text: "x" }]);
  const many = form(
    Array.from({ length: 101 }, (_, index) => ({ name: "f", file: `${index}`, type: "a/b", text: "x" })),
  );
  for (const [body, headers] of [
    [whole.body.slice(0, -60_000), whole.headers],
    [whole.body.slice(0, 100), whole.headers],
    ["no form at all", whole.headers],
    ["", whole.headers],
    ["x", { "content-type": "text/plain" }],
    ["x", {}],
    ["x", { "content-type": "multipart/form-data" }],
    [nameless.body, nameless.headers],
    [textOnly.body, textOnly.headers],
    [many.body, many.headers],
  ] as const) {
    const answer = await byPage("POST", path, body, headers);
    assert.equal(answer.status, 400, `${body.slice(0, 40)} ${answer.text}`);
  }
  const listed = await host.ask("GET", "/v1/blobs/bad-forms", {
    headers: { authorization: `Bearer ${token}` },
  });
  assert.deepEqual(listed.json(), { blobs: [], cursor: null });
  const left = (await readdir(join(host.dataDir, "blobs"))).filter((name) => name.endsWith(".tmp"));
  assert.deepEqual(left, []);
});

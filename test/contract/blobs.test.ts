// Blob buckets over HTTP.

import { strict as assert } from "node:assert";
import { createHash } from "node:crypto";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { limits } from "../../host/limits.ts";
import { RawConnection, rawAsk } from "../support/raw-connection.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";

let host: TestHost;
before(async () => {
  host = await TestHost.start();
});
after(() => host.close());

type Headers = Record<string, string>;
const put = (target: string, body: string | Uint8Array, headers: Headers = {}) =>
  host.ask("PUT", `/v1/blobs/${target}`, { body, headers });
const get = (target: string, headers: Headers = {}) => host.ask("GET", `/v1/blobs/${target}`, { headers });
const remove = (target: string, headers: Headers = {}) =>
  host.ask("DELETE", `/v1/blobs/${target}`, { headers });
const digestOf = (text: string | Uint8Array) => createHash("sha256").update(text).digest("hex");
const files = async () => (await readdir(join(host.dataDir, "blobs"))).sort();

/** Polls: a client that went away is noticed in its own time. */
async function untilFiles(wanted: readonly string[]): Promise<void> {
  const endMs = performance.now() + 10_000;
  while ((await files()).join() !== wanted.join() && performance.now() < endMs) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.deepEqual(await files(), wanted);
}

test("a blob is put, read, replaced and deleted with its type and metadata; its ETag is its digest", async () => {
  const labels = { "content-type": "image/png", "x-mayfly-meta-by": "Ada" };
  const created = await put("a/one.png", "first", labels);
  assert.equal(created.status, 201);
  const etag = `"${digestOf("first")}"`;
  assert.equal(created.header("etag"), etag);
  assert.deepEqual(created.json(), {
    bucket: "a",
    key: "one.png",
    digest: `sha256:${digestOf("first")}`,
    bytes: 5,
  });
  for (const method of ["GET", "HEAD"]) {
    const read = await host.ask(method, "/v1/blobs/a/one.png");
    assert.equal(read.status, 200);
    assert.equal(read.text, method === "GET" ? "first" : "");
    for (const [name, value] of Object.entries({ ...labels, etag, "content-length": "5" })) {
      assert.equal(read.header(name), value, `${method} ${name}`);
    }
    assert.equal(read.header("content-security-policy"), "sandbox");
    assert.equal(read.header("x-content-type-options"), "nosniff");
  }
  assert.equal((await get("a/one.png", { "if-none-match": etag })).status, 304);
  assert.equal((await put("a/one.png", "second")).status, 200);
  const replaced = await get("a/one.png", { "if-none-match": etag });
  assert.equal(replaced.text, "second");
  assert.equal(replaced.header("content-type"), "application/octet-stream");
  assert.equal(replaced.header("x-mayfly-meta-by"), undefined);
  assert.equal((await remove("a/one.png")).status, 204);
  assertProblem(await get("a/one.png"), 404, "blob_not_found");
  assertProblem(await host.ask("DELETE", "/v1/blobs/a/one.png"), 404, "blob_not_found");
  await untilFiles([]);
});

test("blobs of the same bytes share a file, which goes with the last of them", async () => {
  for (const key of ["s/1", "s/2", "s/3"]) assert.equal((await put(key, "shared")).status, 201);
  const file = digestOf("shared");
  assert.deepEqual(await files(), [file]);
  await remove("s/1");
  await put("s/2", "other");
  assert.equal((await get("s/3")).text, "shared");
  assert.deepEqual(await files(), [digestOf("other"), file].sort());
  // Put and deleted at once, again and again: what is left at the end has its bytes.
  await Promise.all(
    Array.from({ length: 60 }, (_, index) => (index % 2 === 0 ? put("s/3", "shared") : remove("s/3"))),
  );
  await put("s/3", "shared");
  assert.equal((await get("s/3")).text, "shared");
  await remove("s/2");
  await remove("s/3");
  await untilFiles([]);
});

test("changes hold to If-Match and If-None-Match, and leave nothing behind when they do not take place", async () => {
  assertProblem(await put("c/k", "x", { "if-match": "*" }), 412, "precondition_failed");
  const etag = (await put("c/k", "1", { "if-none-match": "*" })).header("etag") ?? "";
  assertProblem(await put("c/k", "x", { "if-none-match": "*" }), 412, "precondition_failed");
  assert.equal((await put("c/k", "2", { "if-match": etag })).status, 200);
  assertProblem(await put("c/k", "x", { "if-match": etag }), 412, "precondition_failed");
  assertProblem(await remove("c/k", { "if-match": etag }), 412, "precondition_failed");
  await untilFiles([digestOf("2")]);
  assert.equal((await remove("c/k", { "if-match": `W/"x", "${digestOf("2")}"` })).status, 204);
});

test("a read holds to its conditions, in the order of RFC 9110, section 13.2.2", async () => {
  const etag = (await put("reads/k", "bytes")).header("etag") ?? "";
  const read = async (headers: Record<string, string>) =>
    (await host.ask("GET", "/v1/blobs/reads/k", { headers })).status;
  const [past, future] = ["Sat, 25 Nov 2000 00:00:00 GMT", "Sat, 25 Nov 2090 00:00:00 GMT"];
  const changed = (await get("reads/k")).header("last-modified") ?? "";
  assert.equal(await read({ "if-match": `W/${etag}` }), 412);
  assert.equal(await read({ "if-match": etag, "if-unmodified-since": past }), 200);
  assert.equal(await read({ "if-unmodified-since": past }), 412);
  assert.equal(await read({ "if-unmodified-since": changed }), 200);
  assert.equal(await read({ "if-modified-since": changed }), 304);
  assert.equal(await read({ "if-modified-since": past }), 200);
  assert.equal(await read({ "if-modified-since": future, "if-none-match": '"0"' }), 200);
  assert.equal(await read({ "if-modified-since": past, "if-none-match": `W/${etag}` }), 304);
  assert.equal(await read({ "if-modified-since": "no date", range: "bytes=0-1" }), 206);
});

test("ranges are answered by their bytes (RFC 9110, section 14)", async () => {
  const etag = (await put("r/k", "0123456789")).header("etag") ?? "";
  const cases: [string, number, string, string | undefined][] = [
    ["bytes=0-0", 206, "0", "bytes 0-0/10"],
    ["bytes=3-5", 206, "345", "bytes 3-5/10"],
    ["bytes=7-", 206, "789", "bytes 7-9/10"],
    ["bytes=-3", 206, "789", "bytes 7-9/10"],
    ["bytes=-99", 206, "0123456789", "bytes 0-9/10"],
    ["bytes=9-99", 206, "9", "bytes 9-9/10"],
    ["bytes=0-1,3-4", 200, "0123456789", undefined],
    ["bytes=5-3", 200, "0123456789", undefined],
    ["bytes=-", 200, "0123456789", undefined],
    ["lines=1-2", 200, "0123456789", undefined],
  ];
  for (const [range, status, text, sent] of cases) {
    const answer = await get("r/k", { range });
    assert.deepEqual(
      [answer.status, answer.text, answer.header("content-range")],
      [status, text, sent],
      range,
    );
    assert.equal(answer.header("content-length"), String(text.length), range);
  }
  for (const range of ["bytes=10-", "bytes=99-100", "bytes=-0"]) {
    const answer = await get("r/k", { range });
    assertProblem(answer, 416, "range_not_satisfiable");
    assert.equal(answer.header("content-range"), "bytes */10");
  }
  assert.equal((await get("r/k", { range: "bytes=1-2", "if-range": etag })).text, "12");
  assert.equal((await get("r/k", { range: "bytes=1-2", "if-range": '"other"' })).text, "0123456789");
  await put("r/empty", "");
  assert.equal((await get("r/empty")).status, 200);
  assertProblem(await get("r/empty", { range: "bytes=0-" }), 416, "range_not_satisfiable");
});

test("a key may hold every character, and a path only ever means the key it spells", async () => {
  const characters = Array.from({ length: 0x500 }, (_, code) => String.fromCodePoint(code)).join("");
  for (const key of [characters.slice(0, 300), characters.slice(300, 700), "a/../b", "..", "//", "😀"]) {
    const target = `/v1/blobs/keys/${encodeURIComponent(key).replaceAll("%2F", "/")}`;
    const head = `PUT ${target} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\nconnection: close`;
    assert.equal((await rawAsk(host.port, `${head}\r\n\r\nx`))?.status, 201);
    const page = (await get(`keys?prefix=${encodeURIComponent(key)}&limit=1`)).json() as {
      blobs: { key: string }[];
    };
    assert.equal(page.blobs[0]?.key, key);
  }
  assertProblem(await put("keys/%ff", "x"), 400, "invalid_key");
  assertProblem(await put("keys/", "x"), 400, "invalid_key");
  assertProblem(await put(`keys/${"k".repeat(limits.kvKeyBytesMax + 1)}`, "x"), 400, "invalid_key");
  assertProblem(await put("No_Bucket/k", "x"), 400, "invalid_name");
  assertProblem(await get("No_Bucket"), 400, "invalid_name");
});

test("blobs are listed by prefix, page by page, and buckets with what they hold", async () => {
  for (const key of ["p/3", "p/1", "p/2", "q"])
    await put(`listed/${key}`, "12", { "content-type": "text/a" });
  type Page = { blobs: { key: string; bytes: number; contentType: string }[]; cursor: string | null };
  const first = (await get("listed?prefix=p/&limit=2")).json() as Page;
  assert.deepEqual(
    first.blobs.map(({ key, bytes, contentType }) => [key, bytes, contentType]),
    [
      ["p/1", 2, "text/a"],
      ["p/2", 2, "text/a"],
    ],
  );
  const rest = (
    await get(`listed?prefix=p/&cursor=${encodeURIComponent(first.cursor ?? "")}`)
  ).json() as Page;
  assert.deepEqual([rest.blobs.map(({ key }) => key), rest.cursor], [["p/3"], null]);
  assertProblem(await get("listed?limit=0"), 400, "bad_request");
  assertProblem(await get("listed?after=x"), 400, "bad_request");
  const { buckets } = (await host.ask("GET", "/v1/blobs")).json() as { buckets: { bucket: string }[] };
  assert.deepEqual(
    buckets.find(({ bucket }) => bucket === "listed"),
    { bucket: "listed", blobs: 4, bytes: 8 },
  );
});

test("metadata and types that are none are refused before anything is stored", async () => {
  const before = await files();
  const long = { "x-mayfly-meta-a": "x".repeat(limits.blobMetadataBytesMax) };
  const underscore = { "x-mayfly-meta-a_b": "x" };
  const latin = { "x-mayfly-meta-a": "gr\u00fcezi" };
  const type = { "content-type": "x".repeat(201) };
  for (const headers of [long, underscore, latin, type] as Headers[]) {
    assertProblem(await put("m/k", "never seen", headers), 400, "bad_request");
  }
  assert.deepEqual(await files(), before);
});

test("a body that is shorter than announced stores nothing", async () => {
  const before = await files();
  for (const sent of ["", "half of it"]) {
    const connection = await RawConnection.open(host.port);
    connection.write("PUT /v1/blobs/b/short HTTP/1.1\r\nhost: localhost\r\ncontent-length: 20\r\n\r\n");
    connection.write(sent);
    await new Promise((resolve) => setTimeout(resolve, 50));
    connection.close();
  }
  // Chunks without the last one.
  const chunked = await RawConnection.open(host.port);
  chunked.write(
    "PUT /v1/blobs/b/short HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n",
  );
  await new Promise((resolve) => setTimeout(resolve, 50));
  chunked.close();
  await untilFiles(before);
  assertProblem(await get("b/short"), 404, "blob_not_found");
});

test("a blob that is announced too large is refused before it is sent", async () => {
  const length = limits.blobBytesMax + 1;
  const head = `PUT /v1/blobs/b/huge HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${length}\r\n\r\n`;
  const answer = await rawAsk(host.port, head);
  assert.equal(answer?.status, 413);
  assert.equal((JSON.parse(answer?.body.toString() ?? "") as { code: string }).code, "blob_too_large");
});

test("damaged bytes are not sent whole", async () => {
  const own = await TestHost.start();
  const bytes = Buffer.alloc(400_000, "whole ");
  assert.equal((await own.ask("PUT", "/v1/blobs/d/k", { body: bytes })).status, 201);
  bytes[200_000] = 0;
  await writeFile(join(own.dataDir, "blobs", digestOf(Buffer.alloc(400_000, "whole "))), bytes);
  await assert.rejects(own.ask("GET", "/v1/blobs/d/k"));
  assert.match(own.faults.join(), /damaged/);
  await own.close({ expectFaults: true });
});

test("what was stored is there after a restart, and what was left behind is not", async () => {
  const first = await TestHost.start();
  await first.ask("PUT", "/v1/blobs/kept/k", { body: "kept" });
  await first.close({ keepData: true });
  await writeFile(join(first.dataDir, "blobs", "1-1.tmp"), "half");
  await writeFile(join(first.dataDir, "blobs", digestOf("orphan")), "orphan");
  const second = await TestHost.start({ dataDir: first.dataDir });
  assert.equal((await second.ask("GET", "/v1/blobs/kept/k")).text, "kept");
  assert.deepEqual(await readdir(join(second.dataDir, "blobs")), [digestOf("kept")]);
  await second.close();
});

test("a full disk: no acknowledgement, nothing stored, and serving goes on", async () => {
  let isFull = false;
  const own = await TestHost.start({
    sync: async () => {
      if (isFull) throw Object.assign(new Error("no space left"), { code: "ENOSPC" });
    },
  });
  await own.ask("PUT", "/v1/blobs/f/k", { body: "before" });
  isFull = true;
  assertProblem(await own.ask("PUT", "/v1/blobs/f/k", { body: "after" }), 507, "storage_full");
  assertProblem(await own.ask("PUT", "/v1/blobs/f/new", { body: "after" }), 507, "storage_full");
  assert.equal((await own.ask("GET", "/v1/blobs/f/k")).text, "before");
  assert.deepEqual(await readdir(join(own.dataDir, "blobs")), [digestOf("before")]);
  isFull = false;
  assert.equal((await own.ask("PUT", "/v1/blobs/f/k", { body: "after" })).status, 200);
  await own.close();
});

// blobs of the SDK, on a host.

import { strict as assert } from "node:assert";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { compiled } from "../support/compiled.ts";
import type { Answer } from "../support/http-client.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";

let host: TestHost;

before(async () => {
  host = await TestHost.start();
  await host.deploy("files", await compiled(join(import.meta.dirname, "functions", "blobs.as.ts")));
});
after(() => host.close());

const call = (
  path: string,
  key: string,
  body: string | Uint8Array = "",
  headers: Record<string, string> = {},
): Promise<Answer> => host.ask("POST", `/fn/files${path}`, { body, headers: { "x-key": key, ...headers } });

test("what a call puts another one gets, heads and deletes, and so do clients", async () => {
  const bytes = Uint8Array.from({ length: 70_000 }, (_, index) => index * 7);
  const digest = createHash("sha256").update(bytes).digest("hex");
  assert.equal((await call("/get", "a.png")).status, 404);
  assert.equal((await call("/put", "a.png", bytes)).text, digest);
  const got = await call("/get", "a.png");
  assert.equal(got.header("content-type"), "image/png");
  assert.deepEqual([...got.bytes], [...bytes]);
  assert.equal((await call("/head", "a.png")).text, `a.png|70000|${digest}|image/png|the test`);
  const read = await host.ask("GET", "/v1/blobs/files/a.png");
  assert.deepEqual([...read.bytes], [...bytes]);
  assert.equal(read.header("x-mayfly-meta-by"), "the test");
  assert.equal((await call("/delete", "a.png")).text, "true");
  assert.equal((await call("/delete", "a.png")).text, "false");
  assert.equal((await call("/head", "a.png")).status, 404);
});

test("a function reads ranges of what is too large to read at once", async () => {
  const large = Buffer.alloc(8 * 1024 * 1024, "0123456789");
  assert.equal((await host.ask("PUT", "/v1/blobs/files/large", { body: large })).status, 201);
  assertProblem(await call("/get", "large"), 502, "guest_trapped");
  const range = await call("/range", "large", "", { "x-start": "8388600", "x-length": "100" });
  assert.equal(range.text, `8388608 ${large.subarray(8_388_600).toString()}`);
  assert.equal(
    (await call("/range", "large", "", { "x-start": "9000000", "x-length": "5" })).text,
    "8388608 ",
  );
});

test("blobs are listed by prefix, with their sizes", async () => {
  for (const key of ["l/2", "l/1", "m"]) await call("/put-text", key, key);
  assert.equal((await call("/list", "l/")).text, "l/1=3 l/2=3 end");
  assert.equal((await call("/list", "l/", "", { "x-cursor": "l/1" })).text, "l/2=3 end");
});

test("a function gives its caller a signed path to put and to get with", async () => {
  const put = (await call("/sign", "signed here", "", { "x-method": "PUT" })).text;
  assert.equal(
    (await host.ask("PUT", put, { body: "from a page", headers: { origin: "https://a.test" } })).status,
    201,
  );
  const get = (await call("/sign", "signed here")).text;
  assert.equal((await host.ask("GET", get, { headers: { origin: "https://a.test" } })).text, "from a page");
});

test("what cannot be kept ends the call", async () => {
  for (const [key, type] of [
    ["", "image/png"],
    ["k".repeat(1_025), "image/png"],
    ["k", "a\u0001b"],
  ] as const) {
    assertProblem(
      await call("/put", key, "x", { "x-type": encodeURI(type) === type ? type : "grüezi" }),
      502,
      "guest_trapped",
    );
  }
  assertProblem(await call("/sign", "k", "", { "x-method": "DELETE" }), 502, "guest_trapped");
});

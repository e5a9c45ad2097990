// The key-value stores over HTTP.

import { strict as assert } from "node:assert";
import { after, before, test } from "node:test";
import { limits } from "../../host/limits.ts";
import type { Answer } from "../support/http-client.ts";
import { RawConnection, rawAsk } from "../support/raw-connection.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";

let host: TestHost;
before(async () => {
  host = await TestHost.start();
});
after(() => host.close());

const set = (target: string, body: string | Uint8Array, headers: Record<string, string> = {}) =>
  host.ask("PUT", `/v1/kv/${target}`, { body, headers });
const get = (target: string, headers: Record<string, string> = {}) =>
  host.ask("GET", `/v1/kv/${target}`, { headers });
const remove = (target: string, headers: Record<string, string> = {}) =>
  host.ask("DELETE", `/v1/kv/${target}`, { headers });

test("a value is set, read and deleted; its version is the ETag and never comes again", async () => {
  const created = await set("a/one", "first");
  assert.equal(created.status, 201);
  const etag = created.header("etag") ?? "";
  assert.equal(etag, `"${(created.json() as { version: number }).version}"`);
  const read = await get("a/one");
  assert.deepEqual(
    [read.status, read.text, read.header("etag"), read.header("content-type")],
    [200, "first", etag, "application/octet-stream"],
  );
  assert.equal((await get("a/one", { "if-none-match": etag })).status, 304);
  assert.equal((await set("a/one", "second")).status, 200);
  assert.equal((await get("a/one", { "if-none-match": etag })).text, "second");
  assert.equal((await remove("a/one")).status, 204);
  assertProblem(await get("a/one"), 404, "key_not_found");
  assertProblem(await remove("a/one"), 404, "key_not_found");
  const again = await set("a/one", "first");
  assert.equal(again.status, 201);
  assert.notEqual(again.header("etag"), etag);
});

test("changes hold to If-Match and If-None-Match", async () => {
  assertProblem(await set("a/two", "x", { "if-match": "*" }), 412, "precondition_failed");
  const etag = (await set("a/two", "1", { "if-none-match": "*" })).header("etag") ?? "";
  assertProblem(await set("a/two", "x", { "if-none-match": "*" }), 412, "precondition_failed");
  const next = await set("a/two", "2", { "if-match": `"999999", ${etag}` });
  assert.equal(next.status, 200);
  assertProblem(await set("a/two", "x", { "if-match": etag }), 412, "precondition_failed");
  assertProblem(
    await set("a/two", "x", { "if-match": `W/${next.header("etag")}` }),
    412,
    "precondition_failed",
  );
  assertProblem(await remove("a/two", { "if-match": etag }), 412, "precondition_failed");
  assert.equal((await get("a/two")).text, "2");
  assertProblem(await set("a/two", "x", { "if-match": "*", "if-none-match": "*" }), 400, "bad_request");
  assertProblem(await set("a/two", "x", { "if-none-match": etag }), 400, "bad_request");
  assert.equal((await remove("a/two", { "if-match": "*" })).status, 204);
});

test("a read holds to If-Match and If-None-Match, and HEAD says how long the value is", async () => {
  const etag = (await set("reads/k", "value")).header("etag") ?? "";
  const read = (headers: Record<string, string>, method = "GET") =>
    host.ask(method, "/v1/kv/reads/k", { headers });
  assertProblem(await read({ "if-match": `"0", W/${etag}` }), 412, "precondition_failed");
  for (const match of [etag, "*", `"0", ${etag}`]) {
    assert.equal((await read({ "if-match": match })).status, 200, match);
  }
  for (const match of [etag, "*", `W/${etag}`, `"0",${etag}`]) {
    assert.equal((await read({ "if-none-match": match })).status, 304, match);
  }
  assert.equal((await read({ "if-none-match": '"0"' })).text, "value");
  const head = await read({}, "HEAD");
  assert.deepEqual([head.status, head.header("content-length"), head.text], [200, "5", ""]);
});

test("a key may hold every character, and a path only ever means the key it spells", async () => {
  const characters = Array.from({ length: 0x500 }, (_, code) => String.fromCodePoint(code)).join("");
  for (const key of [characters.slice(0, 300), characters.slice(300, 700), "a/../b", "..", ".", "//", "😀"]) {
    const target = `/v1/kv/keys/${encodeURIComponent(key).replaceAll("%2F", "/")}`;
    const head = `PUT ${target} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\nconnection: close`;
    assert.equal((await rawAsk(host.port, `${head}\r\n\r\nx`))?.status, 201);
    const { keys } = (await get(`keys?prefix=${encodeURIComponent(key)}&limit=1`)).json() as {
      keys: { key: string }[];
    };
    assert.equal(keys[0]?.key, key);
  }
  assertProblem(await set("keys/%ff", "x"), 400, "invalid_key");
  assertProblem(await set("keys/", "x"), 400, "invalid_key");
  assertProblem(await set(`keys/${"k".repeat(limits.kvKeyBytesMax + 1)}`, "x"), 400, "invalid_key");
  assertProblem(await set("No_Store/k", "x"), 400, "invalid_name");
});

test("keys are listed by prefix, page by page, and stores with what they hold", async () => {
  for (const key of ["p/3", "p/1", "p/2", "q"]) assert.equal((await set(`listed/${key}`, "12")).status, 201);
  type Page = { keys: { key: string; bytes: number }[]; cursor: string | null };
  const first = (await get("listed?prefix=p/&limit=2")).json() as Page;
  assert.deepEqual(
    first.keys.map(({ key, bytes }) => [key, bytes]),
    [
      ["p/1", 2],
      ["p/2", 2],
    ],
  );
  const second = (await get(`listed?prefix=p/&limit=2&cursor=${first.cursor}`)).json() as Page;
  assert.deepEqual([second.keys.map(({ key }) => key), second.cursor], [["p/3"], null]);
  assert.deepEqual(((await get("nothing-here")).json() as Page).keys, []);
  const { stores } = (await host.ask("GET", "/v1/kv")).json() as { stores: { store: string }[] };
  assert.deepEqual(
    stores.find(({ store }) => store === "listed"),
    { store: "listed", keys: 4, bytes: 8 },
  );
  for (const query of ["limit=0", "limit=1001", "limit=x", "other=1"]) {
    assertProblem(await get(`listed?${query}`), 400, "bad_request");
  }
});

test("a time to live is kept, and what makes none is refused", async () => {
  const at = Date.now();
  assert.equal((await set("brief/k?ttl=3600", "x")).status, 201);
  const expiresAtMs = Date.parse((await get("brief/k")).header("x-mayfly-expires-at") ?? "");
  assert.ok(expiresAtMs >= at + 3_600_000 && expiresAtMs <= Date.now() + 3_600_000);
  await set("brief/k", "stays");
  assert.equal((await get("brief/k")).header("x-mayfly-expires-at"), undefined);
  for (const ttl of ["", "-1", "x", "1e30", "1e3", "0x10", "NaN", "999999999999"]) {
    assertProblem(await set(`brief/k?ttl=${ttl}`, "x"), 400, "bad_request");
  }
});

test("a number is incremented exactly, and nothing else is", async () => {
  const add = (key: string, by: string): Promise<Answer> =>
    host.ask("POST", `/v1/kv/numbers/${key}?increment=${by}`);
  const sum = async (key: string, by: string) => ((await add(key, by)).json() as { value: string }).value;
  assert.equal(await sum("n", "9007199254740993"), "9007199254740993");
  assert.equal(await sum("n", "-1"), "9007199254740992");
  assertProblem(await add("n", "9223372036854775807"), 409, "not_a_number");
  assert.equal((await get("numbers/n")).text, "9007199254740992");
  await set("numbers/text", "1.5");
  assertProblem(await add("text", "1"), 409, "not_a_number");
  assertProblem(await add("n", "1.5"), 400, "bad_request");
});

test("a body that is too large, or shorter than announced, stores nothing", async () => {
  assertProblem(await set("bodies/k", new Uint8Array(limits.kvValueBytesMax + 1)), 413, "value_too_large");
  const raw = await RawConnection.open(host.port);
  raw.write("PUT /v1/kv/bodies/k HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\nshort");
  raw.socket.end();
  await raw.answer();
  assertProblem(await get("bodies/k"), 404, "key_not_found");
  assert.equal((await set("bodies/k", new Uint8Array(limits.kvValueBytesMax))).status, 201);
});

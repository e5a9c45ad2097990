// Answers that a route keeps, as a shared cache has it (RFC 9111).

import { strict as assert } from "node:assert";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { compiled } from "../support/compiled.ts";
import type { Ask } from "../support/http-client.ts";
import { TestHost } from "../support/test-host.ts";

let host: TestHost;
before(async () => {
  host = await TestHost.start();
  await host.deploy("cached", await compiled(join(import.meta.dirname, "../guest/functions/cached.as.ts")));
  const route = { pattern: "/kept/:kind", function: "cached", cache: true };
  assert.equal((await host.send("PUT", "/v1/routes/kept", route)).status, 201);
});
after(() => host.close());

const get = (target: string, rest: Ask = {}) => host.ask("GET", `/kept/${target}`, rest);
const fresh = (id: string, directives = "max-age=60"): string =>
  `answer?id=${id}&cc=${encodeURIComponent(directives)}`;

test("an answer that may be kept is given again, with its age, and the function is not called", async () => {
  const first = await get(fresh("again"));
  assert.equal(first.header("cache-status"), "mayfly; fwd=miss; stored");
  const second = await get(fresh("again"));
  assert.equal(second.header("cache-status"), "mayfly; hit");
  assert.equal(second.text, first.text);
  assert.match(second.header("age") ?? "", /^\d+$/);
  assert.equal(second.header("x-mayfly-version"), "1");
  assert.equal(second.header("x-mayfly-cpu-ms"), undefined);
  assert.notEqual((await get(fresh("other"))).text, first.text, "another URL is another answer");
});

test("HEAD and conditions are answered by what is kept", async () => {
  const { text } = await get(fresh("conditions"));
  const head = await host.ask("HEAD", `/kept/${fresh("conditions")}`);
  assert.deepEqual([head.status, head.header("content-length"), head.text], [200, String(text.length), ""]);
  assert.equal(head.header("cache-status"), "mayfly; hit");
  const known = await get(fresh("conditions"), { headers: { "if-none-match": '"x", W/"etag"' } });
  assert.deepEqual([known.status, known.header("etag"), known.text], [304, '"etag"', ""]);
  const unknown = await get(fresh("conditions"), { headers: { "if-none-match": '"x"' } });
  assert.deepEqual([unknown.status, unknown.text], [200, text]);
});

for (const directives of ["no-store", "private, max-age=60", "max-age=0", "no-cache", ""]) {
  test(`an answer with ${JSON.stringify(directives)} is not given again unasked`, async () => {
    const first = await get(fresh("not", directives));
    assert.notEqual((await get(fresh("not", directives))).text, first.text);
  });
}

test("an answer without freshness, or with a cookie, is not kept", async () => {
  for (const kind of ["plain", "cookie"]) {
    const first = await get(kind);
    assert.equal(first.header("cache-status"), "mayfly; fwd=miss");
    assert.notEqual((await get(kind)).text, first.text);
  }
});

test("what is asked with credentials is kept only where the answer says so", async () => {
  const headers = { authorization: "Bearer a" };
  const own = await get(fresh("own"), { headers });
  assert.notEqual((await get(fresh("own"), { headers })).text, own.text);
  const all = await get(fresh("all", "public, max-age=60"), { headers });
  assert.equal((await get(fresh("all", "public, max-age=60"))).text, all.text);
});

test("Vary chooses among the answers of one URL", async () => {
  const inLanguage = (language: string) => get("language", { headers: { "accept-language": language } });
  const german = await inLanguage("de");
  const french = await inLanguage("fr");
  assert.notEqual(german.text, french.text);
  assert.equal((await inLanguage("de")).text, german.text);
  assert.equal((await inLanguage("fr")).text, french.text);
});

test("a stale answer is asked for again by its validator, and holds on when it is still good", async () => {
  const first = await get("tagged");
  const second = await get("tagged");
  assert.equal(second.header("cache-status"), "mayfly; hit; fwd=stale; fwd-status=304");
  assert.deepEqual([second.status, second.text], [200, first.text]);
  assert.equal(second.header("x-checked"), "yes");
  const known = await get("tagged", { headers: { "if-none-match": '"same"' } });
  assert.deepEqual([known.status, known.text], [304, ""]);
  const other = await get("tagged", { headers: { "if-none-match": '"other"' } });
  assert.deepEqual([other.status, other.text], [200, first.text]);
});

test("a client that wants it new gets it new", async () => {
  const first = await get(fresh("new"));
  const again = await get(fresh("new"), { headers: { "cache-control": "no-cache" } });
  assert.notEqual(again.text, first.text);
  assert.equal((await get(fresh("new"))).text, again.text);
});

test("a change by the same URL is seen at once", async () => {
  const first = await get(fresh("changed"));
  assert.equal((await host.ask("POST", `/kept/${fresh("changed")}`)).text, "changed");
  assert.notEqual((await get(fresh("changed"))).text, first.text);
});

test("parts, and requests with bodies, pass by what is kept", async () => {
  const first = await get(fresh("parts"));
  const range = await get(fresh("parts"), { headers: { range: "bytes=0-1" } });
  assert.equal(range.header("cache-status"), "mayfly; fwd=bypass");
  assert.notEqual(range.text, first.text);
  assert.equal((await get(fresh("parts"), { body: "body" })).header("cache-status"), "mayfly; fwd=bypass");
});

test("a new version's answers are its own", async () => {
  const first = await get(fresh("released"));
  await host.send("PUT", "/v1/functions/cached/config", { env: { CHANGED: "yes" } });
  assert.notEqual((await get(fresh("released"))).text, first.text);
});

import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { keptResponse, ResponseCache } from "../../host/http/response-cache.ts";

const request = { method: "GET", url: "/a", headers: { host: "h" } };
const answer = (text: string, headers: readonly string[] = ["cache-control", "max-age=60"]) => {
  const body = Buffer.from(text);
  return { status: 200, headers, body, contentLength: body.byteLength };
};
const textOf = (cache: ResponseCache, key: string): string | null => {
  const found = cache.find(key, request);
  return found?.isFresh ? Buffer.from(found.entry.body).toString() : null;
};

test("an answer ages, and is stale after its time", (context) => {
  mock.timers.enable({ apis: ["Date"], now: 1_000_000 });
  context.after(() => mock.timers.reset());
  const cache = new ResponseCache();
  assert.equal(cache.store("k", request, answer("text")), true);
  mock.timers.tick(59_000);
  const found = cache.find("k", request);
  assert.equal(found?.isFresh, true);
  assert.ok(found !== null);
  const { headers } = keptResponse(found.entry, request);
  assert.equal(headers[headers.indexOf("age") + 1], "59");
  mock.timers.tick(2_000);
  assert.equal(cache.find("k", request)?.isFresh, false);
});

test("an answer that holds still is fresh for its time from then on", (context) => {
  mock.timers.enable({ apis: ["Date"], now: 1_000_000 });
  context.after(() => mock.timers.reset());
  const cache = new ResponseCache();
  cache.store("k", request, answer("text", ["cache-control", "max-age=60", "etag", '"1"', "x-a", "old"]));
  mock.timers.tick(100_000);
  const stale = cache.find("k", request);
  assert.ok(stale !== null && !stale.isFresh);
  assert.deepEqual(cache.validators(stale.entry), ["if-none-match", '"1"']);
  const entry = cache.refresh("k", request, stale.entry, ["x-a", "new"]);
  const { headers } = keptResponse(entry, request);
  assert.equal(headers[headers.indexOf("x-a") + 1], "new");
  mock.timers.tick(59_000);
  assert.equal(textOf(cache, "k"), "text");
  cache.refresh("k", request, entry, ["cache-control", "no-store"]);
  assert.equal(cache.find("k", request), null);
});

test("bytes of an answer are kept as they were", () => {
  const cache = new ResponseCache();
  const guest = answer("text");
  cache.store("k", request, guest);
  guest.body.fill(0);
  assert.equal(textOf(cache, "k"), "text");
});

test("what is kept is bounded, the least recently used goes, and one that is too large is not kept", () => {
  const cache = new ResponseCache(20_000, 5_000);
  assert.equal(cache.store("large", request, answer("x".repeat(5_001))), false);
  for (const key of ["a", "b"]) assert.equal(cache.store(key, request, answer("x".repeat(5_000))), true);
  assert.notEqual(textOf(cache, "a"), null);
  cache.store("c", request, answer("x".repeat(5_000)));
  assert.deepEqual(
    [textOf(cache, "a") !== null, textOf(cache, "b") !== null, textOf(cache, "c") !== null],
    [true, false, true],
  );
});

test("what was invalidated does not come back with the next answer of the key", () => {
  const cache = new ResponseCache();
  const vary = ["cache-control", "max-age=60", "vary", "x-lang"];
  const german = { ...request, headers: { host: "h", "x-lang": "de" } };
  cache.store("k", request, answer("one", vary));
  cache.store("k", german, answer("eins", vary));
  cache.invalidate("k");
  assert.equal(cache.find("k", german), null);
  cache.store("k", request, answer("two", vary));
  assert.equal(cache.find("k", german), null);
});

test("an answer that varies by everything is not kept", () => {
  const cache = new ResponseCache();
  assert.equal(cache.store("k", request, answer("a", ["cache-control", "max-age=60", "vary", "*"])), false);
});

// kv of the SDK, on a host.

import { strict as assert } from "node:assert";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { limits } from "../../host/limits.ts";
import { compiled } from "../support/compiled.ts";
import type { Answer } from "../support/http-client.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";

let host: TestHost;

before(async () => {
  host = await TestHost.start();
  const file = join(import.meta.dirname, "functions", "kv.as.ts");
  await host.deploy("keeps", await compiled(file));
});
after(() => host.close());

const call = (
  path: string,
  key: string,
  body: string | Uint8Array = "",
  headers: Record<string, string> = {},
): Promise<Answer> => host.ask("POST", `/fn/keeps${path}`, { body, headers: { "x-key": key, ...headers } });

const said = async (...asked: Parameters<typeof call>): Promise<string> => (await call(...asked)).text;

test("what one call sets another one gets, as text and as bytes", async () => {
  assert.equal((await call("/get", "greeting")).status, 404);
  assert.equal(await said("/set", "greeting", "grüezi 😀"), "done");
  assert.equal(await said("/get", "greeting"), "grüezi 😀");
  const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
  await call("/set-bytes", "bytes", bytes);
  assert.deepEqual([...(await call("/get-bytes", "bytes")).bytes], [...bytes]);
  await call("/set", "empty", "");
  assert.equal((await call("/get", "empty")).status, 200);
});

test("a deleted key is gone, and its deletion tells whether it was there", async () => {
  await call("/set", "gone", "1");
  assert.equal(await said("/delete", "gone"), "true");
  assert.equal(await said("/delete", "gone"), "false");
  assert.equal((await call("/get", "gone")).status, 404);
});

test("a hundred increments at once make a hundred different sums", async () => {
  const sums = await Promise.all(Array.from({ length: 100 }, () => said("/increment", "count", "1")));
  assert.deepEqual(
    sums.map(Number).sort((one, other) => one - other),
    Array.from({ length: 100 }, (_, index) => index + 1),
  );
  assert.equal(await said("/increment", "large", "9223372036854775807"), "9223372036854775807");
  assertProblem(await call("/increment", "large", "1"), 502, "guest_trapped");
  assert.equal(await said("/increment", "large", "-9223372036854775807"), "0");
});

test("of many that would swap, one does", async () => {
  const wins = await Promise.all(Array.from({ length: 20 }, (_, index) => said("/swap", "lock", `${index}`)));
  assert.deepEqual(wins.filter((win) => win === "true").length, 1);
  const holder = await said("/get", "lock");
  assert.equal(await said("/swap", "lock", "other", { "x-expected": `${holder}x` }), "false");
  assert.equal(await said("/swap", "lock", "other", { "x-expected": holder }), "true");
  assert.equal(await said("/get", "lock"), "other");
});

test("a key with a time to live is gone after it", async () => {
  await call("/set-for", "long", "here", { "x-ttl": "3600" });
  await call("/set-for", "brief", "here", { "x-ttl": "1" });
  const until = Date.now() + 10_000;
  let status = 200;
  while (status === 200 && Date.now() < until) {
    await sleep(50);
    ({ status } = await call("/get", "brief"));
  }
  assert.equal(status, 404);
  assert.equal(await said("/get", "long"), "here");
});

test("keys are listed by prefix, in order, page by page", async () => {
  for (const key of ["list/b", "list/a", "lists", "list"]) await call("/set", key, "");
  assert.equal(await said("/list", "list/"), "list/a|list/b end");
  assert.equal(await said("/list", "list/", "", { "x-cursor": "list/a" }), "list/b end");
});

test("what a store refuses ends the call, and the log says why", async () => {
  const refused = async (path: string, key: string, pattern: RegExp, body: string | Uint8Array = "") => {
    assertProblem(await call(path, key, body), 502, "guest_trapped");
    assert.match((await host.logs("keeps")).at(-1)?.message ?? "", pattern);
  };
  await refused("/bad-name", "", /kv\.get: invalid_name: Cannot use "No Name"/);
  await refused("/get", "", /kv\.get: invalid_key: The key has 0 bytes/);
  await refused("/get", "x".repeat(1_025), /invalid_key: The key has 1025 bytes/);
  await call("/set", "text", "many");
  await refused("/increment", "text", /not_a_number: The value is "many"/, "1");
  await refused("/set", "too large", /value_too_large/, new Uint8Array(limits.kvValueBytesMax + 1));
  assert.equal((await call("/get", "too large")).status, 404);
});

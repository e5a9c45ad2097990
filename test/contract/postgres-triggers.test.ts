// Triggers of kind `postgres` as far as they need no database: what is refused, how, and that a URL is told
// to nobody.

import { strict as assert } from "node:assert";
import { after, before, test } from "node:test";
import { answering } from "../support/guests.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";

/** The port of nothing: 9 is discard, which nobody serves. */
const nowhere = "postgres://hunter2:hunter2secret@127.0.0.1:9/shop";
const settings = { kind: "postgres", url: nowhere, tables: ["public.orders"] };

let host: TestHost;
before(async () => {
  host = await TestHost.start();
  await host.deploy("listens", answering("ok"));
});
after(() => host.close());

const base = "/v1/functions/listens/triggers";
const put = (value: unknown) => host.send("PUT", `${base}/rows`, value);

test("a trigger that is none is refused with what is wrong with it", async () => {
  const { url: _, ...withoutUrl } = settings;
  for (const [wrong, expected] of [
    [withoutUrl, /want the url/],
    [{ ...settings, url: "hunter2" }, /url is no URL/],
    [{ ...settings, url: `http://hunter2@host/db` }, /scheme/],
    [{ ...settings, url: `${nowhere}?sslmode=maybe` }, /sslmode/],
    [{ ...settings, url: "x".repeat(4_097) }, /url/],
    [{ ...settings, url: 7 }, /url/],
    [{ ...settings, tables: [] }, /tables/],
    [{ ...settings, tables: ["orders"] }, /SCHEMA\.TABLE/],
    [{ ...settings, tables: [".orders"] }, /SCHEMA\.TABLE/],
    [{ ...settings, tables: ["public."] }, /SCHEMA\.TABLE/],
    [{ ...settings, tables: ["public.a\0b"] }, /SCHEMA\.TABLE/],
    [{ ...settings, tables: "public.orders" }, /tables/],
    [{ ...settings, publication: "" }, /publication/],
    [{ ...settings, publication: "p".repeat(64) }, /publication/],
    [{ ...settings, on: [] }, /on/],
    [{ ...settings, on: ["select"] }, /on/],
    [{ ...settings, database: "shop" }, /database/],
    [{ ...settings, slot: "mine" }, /slot/],
  ] as const) {
    const answer = await put(wrong);
    assertProblem(answer, 400, "invalid_trigger");
    assert.match(answer.text, expected, JSON.stringify(wrong));
    assert.ok(!answer.text.includes("hunter2"), answer.text);
  }
});

test("a database that cannot be reached is said to be so, without user and password, and nothing is kept", async () => {
  const answer = await put(settings);
  assertProblem(answer, 502, "database_unreachable");
  assert.match(answer.text, /127\.0\.0\.1:9\/shop/);
  assert.ok(!answer.text.includes("hunter2"), answer.text);
  assertProblem(await host.ask("GET", `${base}/rows`), 404, "trigger_not_found");
  assertProblem(
    await put({ ...settings, url: "postgres://u:p@no-such-host.invalid/d" }),
    502,
    "database_unreachable",
  );
});

test("a trigger of an unknown function is refused before its database is asked", async () => {
  const answer = await host.send("PUT", "/v1/functions/absent/triggers/rows", settings);
  assertProblem(answer, 404, "function_not_found");
});

// Triggers of kind `postgres` against a real server: what is told of each change, what is refused, and what
// is told to nobody.

import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { skipWithoutPostgres as skip } from "../support/postgres-cluster.ts";
import { assertProblem } from "../support/test-host.ts";
import {
  connected,
  count,
  database,
  held,
  host,
  path,
  put,
  type Shown,
  slots,
  trigger,
  useDatabase,
} from "./postgres-setup.ts";
import { until } from "./supervised-host.ts";

useDatabase();

test("each change of a row is told with its key and its values, in the order of commits", {
  skip,
}, async () => {
  await database.query(
    `CREATE TABLE typed (id int PRIMARY KEY, t text, b boolean, i8 bigint, f float8, n numeric, j jsonb, raw bytea,
       at timestamptz, list int[])`,
  );
  await using _ = await trigger("typed", { tables: ["public.typed"], paused: true });
  await database.query(
    `INSERT INTO typed VALUES (1, E'é "\\n', true, 9007199254740993, 'NaN', 1.10, '{"a": [1.50, null]}', '\\x00ff',
       '2026-01-02 03:04:05+02', '{1,2}')`,
  );
  await database.query(
    "BEGIN; UPDATE typed SET f = 0.1, t = NULL; UPDATE typed SET id = 2; DELETE FROM typed; COMMIT",
  );
  await database.query("TRUNCATE typed");
  const told = await held("typed", 5);
  const [inserted, updated, moved, deleted, truncated] = told;
  const row = {
    ...{ id: 1, t: 'é "\n', b: true, i8: "9007199254740993", f: "NaN", n: "1.10", j: { a: [1.5, null] } },
    ...{ raw: "\\x00ff", at: "2026-01-02 01:04:05+00", list: "{1,2}" },
  };
  assert.deepEqual(
    told.map(({ attributes: { type, source, subject, datacontenttype } }) => [
      type,
      source,
      subject,
      datacontenttype,
    ]),
    [
      ["insert", "1"],
      ["update", "1"],
      ["update", "2"],
      ["delete", "2"],
      ["truncate", undefined],
    ].map(([change, subject]) => [
      `mayfly.postgres.${change}`,
      "/postgres/postgres/public.typed",
      subject,
      "application/json",
    ]),
  );
  const { lsn, xid, committedAt, ...data } = inserted?.data ?? {};
  assert.deepEqual(data, {
    ...{ database: "postgres", schema: "public", table: "typed", change: "insert" },
    ...{ key: { id: 1 }, new: row, old: null },
  });
  assert.match(`${lsn} ${xid}`, /^[0-9A-F]+\/[0-9A-F]+ \d+$/);
  assert.equal(inserted?.attributes["time"], committedAt);
  assert.deepEqual(updated?.data["new"], { ...row, f: 0.1, t: null });
  assert.deepEqual([updated?.data["old"], updated?.data["oldKey"]], [null, undefined]);
  assert.deepEqual([moved?.data["key"], moved?.data["oldKey"]], [{ id: 2 }, { id: 1 }]);
  assert.deepEqual(
    [deleted?.data["key"], deleted?.data["new"], deleted?.data["old"]],
    [{ id: 2 }, null, null],
  );
  assert.deepEqual([truncated?.data["cascade"], truncated?.data["key"]], [false, undefined]);
  const ids = told.map(({ attributes }) => attributes["id"] ?? "");
  assert.equal(new Set(ids).size, 5);
  // Cluster, commit and number in the transaction.
  assert.deepEqual(
    ids.slice(1, 4).map((id) => id.replace(/^\d+-1\//, "")),
    [1, 2, 3].map((change) => `${updated?.data["lsn"]}/${change}`),
  );
});

test("old values are told as the table's replica identity has them, and large ones that did not change are named", {
  skip,
}, async () => {
  await database.query(
    `CREATE TABLE large (id int PRIMARY KEY, n int, body text);
     ALTER TABLE large ALTER body SET STORAGE EXTERNAL;
     CREATE TABLE whole (a text, b text); ALTER TABLE whole REPLICA IDENTITY FULL;
     CREATE TABLE pair (a text, b int, PRIMARY KEY (a, b))`,
  );
  await using _ = await trigger("large", {
    tables: ["public.large", "public.whole", "public.pair"],
    on: ["insert", "update", "delete"],
    paused: true,
  });
  await database.query("INSERT INTO large VALUES (1, 1, repeat('x', 10000)), (2, 1, repeat('y', 300000))");
  await database.query("UPDATE large SET n = 2 WHERE id = 1");
  await database.query("INSERT INTO whole VALUES ('1', 'x'); UPDATE whole SET b = 'y'; DELETE FROM whole");
  await database.query("INSERT INTO pair VALUES ('a/b', 7); TRUNCATE large");
  const told = await held("large", 7);
  const [small, tooLarge, kept, , replaced, deleted, pair] = told.map(({ data }) => data);
  assert.deepEqual(small?.["new"], { id: 1, n: 1, body: "x".repeat(10_000) });
  assert.deepEqual(
    [tooLarge?.["key"], tooLarge?.["new"], tooLarge?.["valuesTooLarge"]],
    [{ id: 2 }, undefined, true],
  );
  assert.deepEqual([kept?.["new"], kept?.["unchanged"]], [{ id: 1, n: 2 }, ["body"]]);
  assert.deepEqual(
    [replaced?.["new"], replaced?.["old"], replaced?.["key"]],
    [{ a: "1", b: "y" }, { a: "1", b: "x" }, undefined],
  );
  assert.deepEqual([deleted?.["new"], deleted?.["old"]], [null, { a: "1", b: "y" }]);
  assert.deepEqual([pair?.["key"], told[6]?.attributes["subject"]], [{ a: "a/b", b: 7 }, "a%2Fb/7"]);
});

test("an ordered trigger tells a row's changes one after the other, and only those that it asks for", {
  skip,
}, async () => {
  await database.query("CREATE TABLE steps (id text PRIMARY KEY, n int)");
  await using _ = await trigger("steps", {
    ...{ tables: ["public.steps"], on: ["update"], ordered: true, values: false },
  });
  await database.query("INSERT INTO steps VALUES ('s1', 0), ('s2', 0)");
  for (let n = 1; n <= 10; n += 1) await database.query("UPDATE steps SET n = $1", [n]);
  await until(async () => (await count("s1")) >= 10 && (await count("s2")) >= 10, 20_000);
  for (const key of ["s1", "s2"]) {
    const lines = (await host.ask("GET", `/v1/kv/told/${key}`)).text.split("\n");
    const lsns = lines.map((line) => {
      const [, type, text = ""] = /^(\S+) (.*)$/.exec(line) ?? [];
      const { lsn, ...data } = JSON.parse(text) as Record<string, unknown>;
      assert.deepEqual(
        [type, data["key"], data["new"], data["old"]],
        ["mayfly.postgres.update", { id: key }, undefined, undefined],
      );
      return String(lsn).split("/")[1]?.padStart(8, "0") ?? "";
    });
    assert.deepEqual([lsns.length, lsns], [10, [...lsns].sort()]);
  }
});

test("what a database lacks is said when the trigger is put, and nothing is left in it", {
  skip,
}, async () => {
  await database.query(
    `CREATE TABLE keyed (id int PRIMARY KEY); CREATE TABLE loose (n int); CREATE PUBLICATION part FOR TABLE keyed;
     CREATE ROLE reader LOGIN PASSWORD 'reader-secret'; GRANT SELECT ON keyed TO reader`,
  );
  const tables = ["public.keyed"];
  const url = (options: object): string => database.url(options);
  for (const [settings, expected] of [
    [{ tables, url: url({ password: "wrong-secret" }) }, /user or the password/],
    [{ tables, url: url({ user: "nobody-known" }) }, /user or the password/],
    [{ tables, url: url({ database: "absent" }) }, /no such database/],
    [{ tables, url: url({ user: "reader", password: "reader-secret" }) }, /permission denied|must be/],
    [{ publication: "part", url: url({ user: "reader", password: "reader-secret" }) }, /replication/],
    [{ tables: ["public.keyed", "public.absent", "absent.keyed"] }, /public\.absent, absent\.keyed/],
    [{ tables: ["public.loose"] }, /public\.loose has no primary key/],
    [{ publication: "absent" }, /no publication/],
    [{ publication: "part", tables: ["public.loose"] }, /does not have the table public\.loose/],
  ] as const) {
    const answer = await put("refused", settings);
    assertProblem(answer, 422, "database_refused");
    assert.match(answer.text, expected);
    for (const secret of ["-secret", "nobody-known", '"reader', database.password]) {
      assert.ok(!answer.text.includes(secret), answer.text);
    }
  }
  const tls = await put("refused", { tables, url: `${database.url()}?sslmode=require` });
  assertProblem(tls, 502, "database_unreachable");
  assert.match(tls.text, /sslmode=disable/);
  assertProblem(await host.ask("GET", `${path}/refused`), 404, "trigger_not_found");
  await until(async () => !(await slots()).some((slot) => slot.includes("refused")), 10_000);
  assert.deepEqual(
    await database.query("SELECT 1 FROM pg_publication WHERE pubname LIKE 'mayfly%refused%'"),
    [],
  );
  // For inserts no key is needed.
  await using _ = await trigger("loose", { tables: ["public.loose"], on: ["insert"], paused: true });
  await database.query("INSERT INTO loose VALUES (7)");
  const [told] = await held("loose", 1);
  assert.deepEqual([told?.data["new"], told?.data["key"]], [{ n: 7 }, undefined]);
});

test("the URL of a database is kept sealed and told to nobody", { skip }, async () => {
  await database.query("CREATE TABLE sealed (id int PRIMARY KEY)");
  await using _ = await trigger("sealed", { tables: ["public.sealed"], paused: true });
  const replaced = await host.send("PUT", `${path}/sealed`, {
    ...{ kind: "postgres", tables: ["public.sealed"], paused: true, concurrency: 2 },
  });
  assert.equal(replaced.status, 200, replaced.text);
  const one = await host.ask("GET", `${path}/sealed`);
  const { database: where, url, concurrency } = one.json() as Shown;
  assert.deepEqual([where, url, concurrency], [`127.0.0.1:${database.port}/postgres`, undefined, 2]);
  for (const { text } of [
    replaced,
    one,
    await host.ask("GET", path),
    await host.ask("GET", "/v1/functions/changed/config"),
  ]) {
    assert.ok(!text.includes(database.password) && !text.includes("owner"), text);
  }
  const files = readdirSync(host.dataDir, { recursive: true, encoding: "utf8" })
    .map((name) => join(host.dataDir, name))
    .filter((file) => statSync(file).isFile());
  for (const file of files) assert.ok(!readFileSync(file).includes(database.password), file);
  await connected("sealed");
  await database.query("INSERT INTO sealed VALUES (1)");
  await held("sealed", 1);
});

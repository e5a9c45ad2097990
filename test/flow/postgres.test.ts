// Triggers of kind `postgres` against a real server: what is told of each change, what is refused, and what
// becomes of a trigger whose database, slot, publication or host goes away.

import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { ShownReplication } from "../../host/replication.ts";
import { compiled } from "../support/compiled.ts";
import type { Answer } from "../support/http-client.ts";
import { PostgresCluster, skipWithoutPostgres } from "../support/postgres-cluster.ts";
import { assertProblem, TestHost, type TestHostOptions } from "../support/test-host.ts";
import { until } from "./supervised-host.ts";

const skip = skipWithoutPostgres;
const functionFile = join(import.meta.dirname, "../guest/functions/changed.as.ts");

let database: PostgresCluster;
let host: TestHost;
before(async () => {
  if (skip !== false) return;
  database = await PostgresCluster.start();
  host = await startHost();
});
after(async () => {
  if (skip !== false) return;
  await host.close();
  await database[Symbol.asyncDispose]();
});

async function startHost(options: TestHostOptions = {}): Promise<TestHost> {
  const started = await TestHost.start(options);
  await started.deploy("changed", await compiled(functionFile));
  return started;
}

/** A host that ends and starts again with its data; it is ended whatever becomes of the test. */
class OneHost implements AsyncDisposable {
  readonly #options: TestHostOptions;
  #dataDir: string | null = null;
  #host: TestHost | null = null;

  constructor(options: TestHostOptions = {}) {
    this.#options = options;
  }

  async start(): Promise<TestHost> {
    this.#host = await startHost({
      ...this.#options,
      ...(this.#dataDir !== null && { dataDir: this.#dataDir }),
    });
    this.#dataDir = this.#host.dataDir;
    return this.#host;
  }

  async stop(): Promise<void> {
    await this.#host?.close({ keepData: true });
    this.#host = null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#host?.close();
  }
}

type Shown = ShownReplication & Record<string, unknown>;
type Told = { readonly attributes: Record<string, string>; readonly data: Record<string, unknown> };

const path = "/v1/functions/changed/triggers";
const put = (name: string, settings: object, on = host): Promise<Answer> =>
  on.send("PUT", `${path}/${name}`, { kind: "postgres", url: database.url(), ...settings });
const shown = async (name: string, on = host): Promise<Shown> =>
  (await on.ask("GET", `${path}/${name}`)).json() as Shown;
const slots = async (): Promise<string[]> =>
  ((await database.query("SELECT slot_name FROM pg_replication_slots")) as { slot_name: string }[]).map(
    (row) => row.slot_name,
  );

/** Adds a trigger, waits until it streams, and removes it at the end. */
async function trigger(name: string, settings: object): Promise<AsyncDisposable> {
  const { status, text } = await put(name, settings);
  assert.equal(status, 201, text);
  await connected(name);
  return {
    [Symbol.asyncDispose]: async () => {
      assert.equal((await host.ask("DELETE", `${path}/${name}`)).status, 204);
      for (const { id } of await listed(name)) await host.ask("DELETE", `/v1/events/${id}`);
    },
  };
}

async function connected(name: string, on = host): Promise<void> {
  let state = "";
  await until(
    async () => {
      const now = (await shown(name, on)).state;
      state = JSON.stringify(now);
      return now.status === "connected";
    },
    30_000,
    () => state,
  );
}

async function listed(name: string): Promise<{ readonly id: number }[]> {
  const answer = await host.ask("GET", `/v1/events?function=changed&trigger=${name}&limit=1000`);
  return (answer.json() as { events: { id: number }[] }).events;
}

/** What a paused trigger holds, once it is as many. */
async function held(name: string, count: number): Promise<Told[]> {
  let events = await listed(name);
  await until(
    async () => {
      events = await listed(name);
      return events.length >= count;
    },
    20_000,
    () => `${events.length} of ${count}`,
  );
  assert.equal(events.length, count);
  return Promise.all(
    events.map(async ({ id }) => {
      const event = (await host.ask("GET", `/v1/events/${id}`)).json() as Told & { data_base64: string };
      return { ...event, data: JSON.parse(Buffer.from(event.data_base64, "base64").toString()) };
    }),
  );
}

const count = async (key: string, on = host): Promise<number> => {
  const { status, text } = await on.ask("GET", `/v1/kv/changed/${encodeURIComponent(key)}`);
  return status === 200 ? Number(text) : 0;
};

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
    ids.slice(1, 4).map((id) => id.replace(/^\d+\//, "")),
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
  const before = await slots();
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
  await until(async () => (await slots()).length === before.length, 10_000);
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

test("a trigger that changes keeps its place, one that is removed gives its slot back, and its function's end too", {
  skip,
}, async () => {
  await database.query("CREATE TABLE first (id int PRIMARY KEY); CREATE TABLE second (id int PRIMARY KEY)");
  const before = await slots();
  const tables = ["public.first"];
  assert.equal((await put("moves", { tables, paused: true })).status, 201);
  const { slot } = await shown("moves");
  // Nobody listens while it is replaced.
  const replacing = put("moves", { tables: ["public.first", "public.second"], paused: true });
  await database.query("INSERT INTO first VALUES (1)");
  assert.equal((await replacing).status, 200);
  assert.equal((await shown("moves")).slot, slot);
  await database.query("INSERT INTO second VALUES (2)");
  assert.deepEqual(
    (await held("moves", 2)).map(({ data }) => data["key"]),
    [{ id: 1 }, { id: 2 }],
  );
  // Another kind of trigger has no use for a slot.
  assert.equal((await host.send("PUT", `${path}/moves`, { kind: "topic", topic: "t" })).status, 200);
  await until(async () => !(await slots()).includes(slot), 10_000);
  await host.deploy("goes", await compiled(functionFile));
  const made = await host.send("PUT", "/v1/functions/goes/triggers/rows", {
    ...{ kind: "postgres", url: database.url(), tables },
  });
  assert.equal(made.status, 201, made.text);
  assert.equal((await slots()).length, before.length + 1);
  assert.equal((await host.ask("DELETE", "/v1/functions/goes")).status, 204);
  await until(async () => (await slots()).length === before.length, 10_000);
  assert.deepEqual(
    await database.query("SELECT 1 FROM pg_publication WHERE pubname LIKE 'mayfly%moves%'"),
    [],
  );
  assert.equal((await host.ask("DELETE", `${path}/moves`)).status, 204);
});

test("a slot or a publication that is gone is said, and the trigger is mended by putting it again", {
  skip,
}, async () => {
  await database.query("CREATE TABLE lost (id int PRIMARY KEY); CREATE PUBLICATION given FOR TABLE lost");
  const settings = { publication: "given", paused: true };
  await using _ = await trigger("lost", settings);
  const { slot } = await shown("lost");
  const faulty = async (expected: RegExp): Promise<void> => {
    let error = "";
    await until(
      async () => {
        const { state } = await shown("lost");
        error = JSON.stringify(state.error);
        return state.status === "reconnecting" && expected.test(error);
      },
      20_000,
      () => error,
    );
    assert.match(error, /"code":"database_refused"/);
  };
  await database.query(
    "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1",
    [slot],
  );
  await until(async () => {
    try {
      await database.query("SELECT pg_drop_replication_slot($1)", [slot]);
      return true;
    } catch {
      // It had come back before.
      await database.query(
        "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1",
        [slot],
      );
      return false;
    }
  }, 10_000);
  await faulty(/does not exist/);
  assert.equal((await put("lost", settings)).status, 200);
  await connected("lost");
  assert.notEqual((await shown("lost")).slot, slot);
  await database.query("INSERT INTO lost VALUES (1)");
  await held("lost", 1);
  await database.query("DROP PUBLICATION given; INSERT INTO lost VALUES (2)");
  await faulty(/publication.*does not exist/);
  assertProblem(await put("lost", settings), 422, "database_refused");
  await database.query("CREATE PUBLICATION given FOR TABLE lost");
  assert.equal((await put("lost", settings)).status, 200);
  await connected("lost");
  await database.query("INSERT INTO lost VALUES (3)");
  assert.deepEqual(
    (await held("lost", 2)).map(({ data }) => data["key"]),
    [{ id: 1 }, { id: 3 }],
  );
});

test("a password that has changed stops a trigger, and one that is put with the new one goes on where it was", {
  skip,
}, async () => {
  await database.query(
    `CREATE TABLE rotated (id int PRIMARY KEY); CREATE PUBLICATION rotated FOR TABLE rotated;
     CREATE ROLE follows LOGIN REPLICATION PASSWORD 'old-secret'`,
  );
  const settings = { publication: "rotated", paused: true };
  const url = (password: string): string => database.url({ user: "follows", password });
  await using _ = await trigger("rotated", { ...settings, url: url("old-secret") });
  const { slot } = await shown("rotated");
  await database.query("ALTER ROLE follows PASSWORD 'new-secret'");
  await database.query(
    "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1",
    [slot],
  );
  await database.query("INSERT INTO rotated VALUES (1)");
  await until(async () => (await shown("rotated")).state.error?.code === "database_refused", 10_000);
  const { error } = (await shown("rotated")).state;
  assert.match(error?.message ?? "", /user or the password/);
  assert.equal((await put("rotated", { ...settings, url: url("new-secret") })).status, 200);
  assert.equal((await shown("rotated")).slot, slot);
  await held("rotated", 1);
});

test("changes wait in the database while the host is away, or the server is, and each is told once", {
  skip,
}, async () => {
  await database.query("CREATE TABLE away (id text PRIMARY KEY)");
  const tables = ["public.away"];
  await using hosts = new OneHost();
  let second = await hosts.start();
  assert.equal((await put("away", { tables }, second)).status, 201);
  await connected("away", second);
  await database.query("INSERT INTO away VALUES ('a1')");
  await until(async () => (await count("a1", second)) === 1, 10_000);
  await hosts.stop();
  const idle = (await database.query(
    "SELECT 1 FROM pg_replication_slots WHERE slot_name LIKE '%away%' AND NOT active",
  )) as unknown[];
  assert.equal(idle.length, 1, "the stream was not ended");
  await database.query("INSERT INTO away VALUES ('a2')");
  second = await hosts.start();
  await until(async () => (await count("a2", second)) === 1, 20_000);
  await database.kill();
  await until(async () => (await shown("away", second)).state.status === "reconnecting", 10_000);
  assert.equal((await shown("away", second)).state.error?.code, "database_unreachable");
  await database.resume();
  await database.query("INSERT INTO away VALUES ('a3')");
  await until(async () => (await count("a3", second)) === 1, 40_000);
  await connected("away", second);
  assert.deepEqual([await count("a1", second), await count("a2", second)], [1, 1]);
  // A server that is shut down waits for what it has sent to be confirmed.
  await database.stop();
  await database.resume();
  assert.equal((await second.ask("DELETE", `${path}/away`)).status, 204);
  await until(async () => !(await slots()).some((slot) => slot.includes("away")), 40_000);
});

test("while the queue is full changes wait in the database, and none is lost", { skip }, async () => {
  await database.query("CREATE TABLE many (id int PRIMARY KEY)");
  await using hosts = new OneHost({ queueEventsMax: 600 });
  const full = await hosts.start();
  const settings = { tables: ["public.many"], path: "/count", concurrency: 100 };
  assert.equal((await put("many", { ...settings, paused: true }, full)).status, 201);
  await connected("many", full);
  await database.query("INSERT INTO many SELECT generate_series(1, 1100)");
  await until(async () => (await shown("many", full)).state.status === "waiting", 20_000);
  await database.query("INSERT INTO many VALUES (1101)");
  const answer = await full.ask("GET", "/v1/events?trigger=many&limit=1000");
  const { length } = (answer.json() as { events: unknown[] }).events;
  assert.ok(length > 0 && length <= 600, `${length} events wait`);
  // A host that stops has nothing to wait for.
  await hosts.stop();
  const again = await hosts.start();
  assert.equal((await put("many", settings, again)).status, 200);
  let keys = 0;
  await until(
    async () => {
      const page = await again.ask("GET", "/v1/kv/changed?prefix=1&limit=1000");
      keys = (page.json() as { keys: unknown[] }).keys.length;
      return keys === 213 && (await count("1101", again)) === 1;
    },
    40_000,
    () => `${keys} keys`,
  );
  await until(async () => (await shown("many", again)).state.lagBytes === 0, 20_000);
  for (const key of ["1", "499", "500", "501", "1000", "1100"]) assert.equal(await count(key, again), 1, key);
  assert.equal((await again.ask("DELETE", `${path}/many`)).status, 204);
  await until(async () => !(await slots()).some((slot) => slot.includes("many")), 20_000);
});

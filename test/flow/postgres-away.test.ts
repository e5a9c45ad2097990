// What becomes of a trigger of kind `postgres` that changes, or whose database, slot, publication, password or
// host goes away, or whose queue is full.

import assert from "node:assert/strict";
import { test } from "node:test";
import { compiled } from "../support/compiled.ts";
import { skipWithoutPostgres as skip } from "../support/postgres-cluster.ts";
import { assertProblem } from "../support/test-host.ts";
import {
  connected,
  count,
  database,
  functionFile,
  held,
  host,
  OneHost,
  path,
  put,
  shown,
  slots,
  trigger,
  useDatabase,
} from "./postgres-setup.ts";
import { until } from "./supervised-host.ts";

useDatabase();

test("a trigger that changes keeps its place, one that is removed gives its slot back, and its function's end too", {
  skip,
}, async () => {
  await database.query("CREATE TABLE first (id int PRIMARY KEY); CREATE TABLE second (id int PRIMARY KEY)");
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
  await until(async () => !(await slots()).includes(slot), 30_000);
  await host.deploy("goes", await compiled(functionFile));
  const made = await host.send("PUT", "/v1/functions/goes/triggers/rows", {
    ...{ kind: "postgres", url: database.url(), tables },
  });
  assert.equal(made.status, 201, made.text);
  const ofGoes = async (): Promise<number> => (await slots()).filter((name) => name.includes("goes")).length;
  assert.equal(await ofGoes(), 1);
  assert.equal((await host.ask("DELETE", "/v1/functions/goes")).status, 204);
  await until(async () => (await ofGoes()) === 0, 30_000);
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
      60_000,
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
  }, 30_000);
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
  await until(async () => (await shown("rotated")).state.error?.code === "database_refused", 30_000);
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
  await until(async () => (await count("a1", second)) === 1, 30_000);
  await hosts.stop();
  const idle = (await database.query(
    "SELECT 1 FROM pg_replication_slots WHERE slot_name LIKE '%away%' AND NOT active",
  )) as unknown[];
  assert.equal(idle.length, 1, "the stream was not ended");
  await database.query("INSERT INTO away VALUES ('a2')");
  second = await hosts.start();
  await until(async () => (await count("a2", second)) === 1, 20_000);
  await database.kill();
  await until(async () => (await shown("away", second)).state.status === "reconnecting", 30_000);
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

// The promise of triggers of kind `postgres`: a change that was committed is delivered at least once, whenever
// the host process or PostgreSQL is killed, and more than once only if an attempt was under way. A seeded
// sample; `npm run soak` kills 50 times.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { compiled } from "../support/compiled.ts";
import { ask } from "../support/http-client.ts";
import { PostgresCluster, skipWithoutPostgres } from "../support/postgres-cluster.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { SupervisedHost, until } from "./supervised-host.ts";

const rounds = process.env["MAYFLY_TEST_SOAK"] === "1" ? 50 : 2;
const writers = 3;
const rowsMax = 10;
/** Between a writer's transactions. */
const restMs = 20;
const concurrency = 16;

test(`committed changes are delivered, whenever the host or PostgreSQL is killed (${rounds} times)`, {
  skip: skipWithoutPostgres,
}, async (context) => {
  const random = seededRandom(context);
  await using database = await PostgresCluster.start();
  await database.query("CREATE TABLE rows (id text PRIMARY KEY)");
  await using host = await SupervisedHost.start();
  const file = join(import.meta.dirname, "../guest/functions/changed.as.ts");
  assert.equal((await host.deploy("changed", await compiled(file))).status, 201);
  const port = Number(new URL(host.url).port);
  const put = await ask(port, "PUT", "/v1/functions/changed/triggers/rows", {
    body: JSON.stringify({
      ...{ kind: "postgres", url: database.url(), tables: ["public.rows"], path: "/count" },
      ...{ concurrency, backoffMs: 1 },
    }),
    headers: { "content-type": "application/json" },
  });
  assert.equal(put.status, 201, `${put.text} ${host.output}`);
  const committed = new Set<string>();
  const sent = new Set<string>();
  const kills = { host: 0, server: 0 };
  for (let round = 0; round < rounds; round += 1) {
    let writing = true;
    const write = async (writer: number): Promise<void> => {
      const client = await database.client();
      try {
        for (let index = 0; writing; index += 1) {
          const ids = Array.from(
            { length: 1 + Math.floor(random() * rowsMax) },
            (_, row) => `${round}-${writer}-${index}-${row}`,
          );
          for (const id of ids) sent.add(id);
          // One transaction, of which each row is a change.
          await client.query("INSERT INTO rows SELECT unnest($1::text[])", [ids]);
          for (const id of ids) committed.add(id);
          await pause(restMs);
        }
      } finally {
        await client.end().catch(() => {});
      }
    };
    // The connection breaks when the server is killed: that ends a writer.
    const ended = Promise.allSettled(Array.from({ length: writers }, (_, index) => write(index)));
    await pause(50 + random() * 300);
    if (round % 2 === 0) {
      await database.kill();
      kills.server += 1;
      await database.resume();
    } else {
      await host.killHost();
      kills.host += 1;
    }
    writing = false;
    await ended;
  }
  const kept = (await database.query("SELECT id FROM rows")) as { id: string }[];
  // Whatever had not been answered may have been committed all the same.
  for (const { id } of kept) committed.add(id);
  type Listed = { readonly error: { readonly code: string } | null };
  const listed = async (state: string): Promise<Listed[]> =>
    ((await ask(port, "GET", `/v1/events?limit=1000${state}`)).json() as { events: Listed[] }).events;
  const [end] = (await database.query("SELECT pg_current_wal_lsn() AS lsn")) as { lsn: string }[];
  const confirmed = "SELECT 1 FROM pg_replication_slots WHERE confirmed_flush_lsn >= $1::pg_lsn";
  await until(async () => (await database.query(confirmed, [end?.lsn])).length === 1, 120_000);
  await until(
    async () => (await listed("&state=ready")).length + (await listed("&state=leased")).length === 0,
    120_000,
  );
  // Whoever holds a thread at three crashes is taken for their cause: its events are dead letters by now.
  const dead = await listed("");
  for (const { error } of dead) assert.equal(error?.code, "function_quarantined");
  assert.equal((await ask(port, "POST", "/v1/functions/changed/unquarantine")).status, 200);
  assert.equal((await ask(port, "POST", "/v1/events/redrive?function=changed")).status, 200);
  await until(async () => (await listed("")).length === 0, 120_000);
  const delivered = new Map<string, number>();
  for (let cursor: string | null = ""; cursor !== null; ) {
    const page = (await ask(port, "GET", `/v1/kv/changed?limit=1000&cursor=${cursor}`)).json() as {
      keys: { key: string }[];
      cursor: string | null;
    };
    for (const { key } of page.keys) {
      delivered.set(key, Number((await ask(port, "GET", `/v1/kv/changed/${key}`)).text));
    }
    cursor = page.cursor;
  }
  assert.ok(committed.size > 0, "nothing was committed");
  for (const id of committed) assert.ok(delivered.has(id), `the row ${id} was committed and is lost`);
  for (const id of delivered.keys()) assert.ok(sent.has(id), `the row ${id} was never written`);
  const twice = [...delivered.values()].reduce((sum, times) => sum + times - 1, 0);
  assert.ok(twice <= kills.host * concurrency, `${twice} deliveries too many`);
  context.diagnostic(
    `${kills.host} kills of the host, ${kills.server} of PostgreSQL: ${committed.size} changes committed, ` +
      `${twice} delivered once more than needed, ${dead.length === 1_000 ? "1000 or more" : dead.length} redriven`,
  );
});

// Positions of replications: what was stored is not stored again, whatever PostgreSQL sends once more, and a
// slot has a row until it is dropped.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { after, beforeEach, test } from "node:test";
import { openForWriting } from "../../host/store/sqlite/database.ts";
import { EventWrites } from "../../host/store/sqlite/event-writes.ts";
import { ReplicationWrites } from "../../host/store/sqlite/replication-writes.ts";
import { parseTrigger } from "../../host/trigger.ts";

const folder = mkdtempSync(join(tmpdir(), "mayfly-replications-"));
after(() => rmSync(folder, { recursive: true }));

const key = { function: "f", trigger: "t" };
const settings = parseTrigger({ kind: "postgres", tables: ["public.orders"] });
const sealedUrl = Buffer.from("sealed");
let files = 0;
let database: DatabaseSync;
let events: EventWrites;
let replications: ReplicationWrites;
let id = 0;
beforeEach(() => {
  files += 1;
  database = openForWriting(join(folder, `${files}.db`));
  database.exec(`INSERT INTO functions (name, config_json, version_last) VALUES ('f', '{}', 1);
    INSERT INTO versions (name, version, digest, abi, size_bytes, created_at_ms) VALUES ('f', 1, 'one', 'wasi', 1, 0);
    INSERT INTO aliases (function, alias, version, revision, changed_at_ms) VALUES ('f', 'live', 1, 1, 0)`);
  events = new EventWrites(database);
  replications = new ReplicationWrites(database, events);
  id = replications.note({ slot: "s1", database: "db", sealedUrl });
});

const put = (): boolean => {
  assert.ok(settings.kind === "postgres");
  return replications.putTrigger(key, settings, { id, database: "db", sealedUrl });
};
const change = (lsn: string, number: number, system = "1-1") => ({
  position: { system, lsn, change: number },
  event: { attributes: { id: `${lsn}/${number}` }, data: Buffer.from("{}"), depth: 1 },
});
const first = "00000000/00000010";
const later = "00000001/00000005";
const stored = (): string[] =>
  database
    .prepare("SELECT attributes_json FROM events ORDER BY id")
    .all()
    .map((row) => JSON.parse(String(row["attributes_json"])).id);
const triggerOf = (): unknown =>
  database.prepare("SELECT trigger IS NULL AS free FROM replications WHERE id = ?").get(id)?.["free"];

test("changes that are stored are not stored again, also when only a part of a transaction was", () => {
  assert.equal(put(), true);
  assert.equal(replications.take(id, [change(first, 1), change(first, 2)]).deliveries, 2);
  assert.equal(replications.take(id, [change(first, 1), change(first, 2), change(first, 3)]).deliveries, 1);
  assert.equal(replications.take(id, [change(first, 3), change(later, 1)]).deliveries, 1);
  assert.equal(replications.take(id, [change(first, 1), change(first, 9)]).deliveries, 0);
  assert.deepEqual(stored(), [`${first}/1`, `${first}/2`, `${first}/3`, `${later}/1`]);
});

test("positions of another cluster or timeline say nothing", () => {
  put();
  replications.take(id, [change(later, 1)]);
  assert.equal(replications.take(id, [change(first, 1, "1-2")]).deliveries, 1);
  assert.equal(replications.take(id, [change(first, 1, "1-2")]).deliveries, 0);
});

test("a slot belongs to its trigger until that is replaced by another kind or removed, or its function is", () => {
  assert.equal(triggerOf(), 1);
  replications.forget(id + 1);
  put();
  assert.equal(triggerOf(), 0);
  assert.equal(put(), false);
  replications.forget(id);
  assert.equal(triggerOf(), 0, "a slot in use was forgotten");
  events.putTrigger(key, parseTrigger({ kind: "topic", topic: "x" }));
  assert.equal(triggerOf(), 1);
  assert.equal(replications.take(id, [change(first, 1)]).deliveries, 0);
  put();
  events.removeTrigger(key);
  assert.equal(triggerOf(), 1);
  put();
  database.exec("DELETE FROM functions WHERE name = 'f'");
  assert.equal(triggerOf(), 1);
  replications.forget(id);
  assert.equal(triggerOf(), undefined);
});

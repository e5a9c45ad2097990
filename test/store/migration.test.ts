// A database of the schema before versions carried files becomes one of today with all that is in it.

import { strict as assert } from "node:assert";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { openForWriting } from "../../host/store/sqlite/database.ts";

const schemas = join(import.meta.dirname, "../../host/store/sqlite");

test("versions and crashes are there after the migration, and no id is used again", async () => {
  const folder = await mkdtemp(join(tmpdir(), "mayfly-migration-"));
  const file = join(folder, "mayfly.db");
  try {
    const old = new DatabaseSync(file);
    for (let schema = 1; schema <= 7; schema += 1) {
      old.exec(await readFile(join(schemas, `schema-${schema}.sql`), "utf8"));
    }
    old.exec(`PRAGMA user_version = 7;
      INSERT INTO functions (name, config_json, live_version) VALUES ('f', '{}', 2), ('g', '{}', 1);
      INSERT INTO versions (name, version, digest, abi, size_bytes, created_at_ms, quarantined, new_us)
        VALUES ('f', 1, 'a', 'assemblyscript', 1, 5, 0, 1.5), ('f', 2, 'b', 'assemblyscript', 2, 6, 1, 2.5),
          ('g', 1, 'c', 'assemblyscript', 3, 7, 0, NULL);
      INSERT INTO crashes (version_id, at_ms) VALUES (1, 100), (2, 200);
      DELETE FROM functions WHERE name = 'g'; DELETE FROM versions WHERE name = 'g';`);
    old.close();
    const database = openForWriting(file);
    const rows = (sql: string) =>
      database
        .prepare(sql)
        .all()
        .map((row) => Object.values(row));
    assert.deepEqual(
      rows("SELECT id, name, version, digest, quarantined, new_us, files_digest FROM versions"),
      [
        [1, "f", 1, "a", 0, 1.5, ""],
        [2, "f", 2, "b", 1, 2.5, ""],
      ],
    );
    assert.deepEqual(rows("SELECT version_id, at_ms FROM crashes"), [
      [1, 100],
      [2, 200],
    ]);
    database.exec(`INSERT INTO versions (name, version, digest, abi, size_bytes, created_at_ms)
      VALUES ('f', 3, 'd', 'wasi', 1, 8)`);
    assert.deepEqual(rows("SELECT id FROM versions WHERE digest = 'd'"), [[4]]);
    assert.deepEqual(rows("SELECT function, alias, version, version_before FROM aliases"), [
      ["f", "live", 2, 1],
    ]);
    database.exec("DELETE FROM functions");
    assert.deepEqual(rows("SELECT * FROM crashes"), []);
    assert.deepEqual(rows("PRAGMA foreign_key_check"), []);
    database.close();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

// Opens the database of the data folder with the settings it relies on, and brings its schema up to
// date. Numbered .sql files, applied in order, each in a transaction with the number it leads to.

import { readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";

const schemas = [
  "schema-1.sql",
  "schema-2.sql",
  "schema-3.sql",
  "schema-4.sql",
  "schema-5.sql",
  "schema-6.sql",
  "schema-7.sql",
  "schema-8.sql",
];

/** Opens for writing and migrates. Throws when the file is of a newer schema or no database. */
export function openForWriting(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { enableForeignKeyConstraints: true });
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000");
  const version = Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
  if (version > schemas.length) {
    database.close();
    throw new Error(
      `${file} was written by a newer Mayfly: schema ${version}, this one knows ${schemas.length}`,
    );
  }
  for (let next = version; next < schemas.length; next += 1) {
    const path = fileURLToPath(import.meta.resolve(`./${schemas[next]}`));
    database.exec(`BEGIN; ${readFileSync(path, "utf8")}; PRAGMA user_version = ${next + 1}; COMMIT`);
  }
  return database;
}

/** Opens for reading what the writer commits. */
export function openForReading(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { readOnly: true });
  database.exec("PRAGMA busy_timeout = 5000");
  return database;
}

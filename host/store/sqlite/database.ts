// Opens the database of the data folder with the settings it relies on, and brings its schema up to
// date. Numbered .sql files, applied in order, each in a transaction with the number it leads to.

import { readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";

/** Numbers of the files, which are those of the schemas that they lead to. */
const schemas = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
export const schemaNewest = Math.max(...schemas);

/** Opens for writing and migrates. Throws when the file is of a newer schema or no database. */
export function openForWriting(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { enableForeignKeyConstraints: true });
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000");
  const version = Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
  if (version > schemaNewest) {
    database.close();
    throw new Error(
      `${file} was written by a newer Mayfly: schema ${version}, this one knows ${schemaNewest}`,
    );
  }
  for (const schema of schemas.filter((each) => each > version)) {
    const path = fileURLToPath(import.meta.resolve(`./schema-${schema}.sql`));
    database.exec(`BEGIN; ${readFileSync(path, "utf8")}; PRAGMA user_version = ${schema}; COMMIT`);
  }
  return database;
}

/** Opens for reading what the writer commits. */
export function openForReading(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { readOnly: true });
  database.exec("PRAGMA busy_timeout = 5000");
  return database;
}

// What is kept sealed, in SQLite: reads on this thread's connection, changes through the writer thread.

import type { DatabaseSync } from "node:sqlite";
import type { ListedSecret } from "../../secret.ts";
import { type Sealed, type SealedSecret, type SecretStore, secretPurpose } from "../secret-store.ts";
import { type Row, StatementCache } from "./statement-cache.ts";
import type { Writer } from "./writer.ts";

export class SqliteSecretStore implements SecretStore {
  readonly #sql: StatementCache;
  readonly #writer: Writer;
  readonly #onChanged: (functionName: string) => void;

  /** `onChanged`: the set-up of a function has changed. */
  constructor(database: DatabaseSync, writer: Writer, onChanged: (functionName: string) => void) {
    this.#sql = new StatementCache(database);
    this.#writer = writer;
    this.#onChanged = onChanged;
  }

  list(functionName: string): ListedSecret[] {
    return this.#sql
      .all(
        "SELECT name, created_at_ms, updated_at_ms FROM secrets WHERE function = ? ORDER BY name",
        functionName,
      )
      .map((row) => ({
        name: String(row["name"]),
        createdAtMs: Number(row["created_at_ms"]),
        updatedAtMs: Number(row["updated_at_ms"]),
      }));
  }

  sealed(functionName: string): SealedSecret[] {
    return this.#sql
      .all("SELECT name, sealed FROM secrets WHERE function = ? ORDER BY name", functionName)
      .map((row) => ({ name: String(row["name"]), sealed: row["sealed"] as Uint8Array }));
  }

  functions(): string[] {
    return this.#sql.all("SELECT DISTINCT function FROM secrets").map((row) => String(row["function"]));
  }

  all(): Sealed[] {
    const ofFunctions = this.#sql.all("SELECT id, function, name, sealed FROM secrets").map(toSecret);
    const ofDatabases = this.#sql.all("SELECT id, slot, url FROM replications").map(toUrl);
    return [...ofFunctions, ...ofDatabases];
  }

  async put(functionName: string, secret: SealedSecret): Promise<boolean> {
    return this.#changed(functionName, this.#writer.write("secrets", "put", functionName, secret));
  }

  async remove(functionName: string, name: string): Promise<boolean> {
    return this.#changed(functionName, this.#writer.write("secrets", "remove", functionName, name));
  }

  reseal(seals: readonly Sealed[]): Promise<void> {
    return this.#writer.write("secrets", "reseal", seals);
  }

  async #changed(functionName: string, change: Promise<boolean>): Promise<boolean> {
    try {
      return await change;
    } finally {
      this.#onChanged(functionName);
    }
  }
}

function toSecret(row: Row): Sealed {
  const purpose = secretPurpose(String(row["function"]), String(row["name"]));
  return { table: "secrets", id: Number(row["id"]), purpose, sealed: row["sealed"] as Uint8Array };
}

function toUrl(row: Row): Sealed {
  const purpose = String(row["slot"]);
  return { table: "replications", id: Number(row["id"]), purpose, sealed: row["url"] as Uint8Array };
}

// Tokens in SQLite: reads on this thread's connection, changes through the writer thread.

import type { DatabaseSync } from "node:sqlite";
import type { StoredToken, TokenStore } from "../token-store.ts";
import { StatementCache } from "./statement-cache.ts";
import type { Writer } from "./writer.ts";

export class SqliteTokenStore implements TokenStore {
  readonly #sql: StatementCache;
  readonly #writer: Writer;

  constructor(database: DatabaseSync, writer: Writer) {
    this.#sql = new StatementCache(database);
    this.#writer = writer;
  }

  all(): StoredToken[] {
    return this.#sql.all("SELECT * FROM tokens ORDER BY created_at_ms, id").map((row) => ({
      ...JSON.parse(String(row["settings_json"])),
      id: String(row["id"]),
      hash: row["hash"] as Uint8Array,
      namespace: row["namespace"] === null ? null : String(row["namespace"]),
      createdAtMs: Number(row["created_at_ms"]),
      expiresAtMs: row["expires_at_ms"] === null ? null : Number(row["expires_at_ms"]),
      usedAtMs: row["used_at_ms"] === null ? null : Number(row["used_at_ms"]),
    }));
  }

  put(token: StoredToken): Promise<void> {
    return this.#writer.write("tokens", "put", token);
  }

  remove(id: string): Promise<void> {
    return this.#writer.write("tokens", "remove", id);
  }

  used(times: readonly (readonly [string, number])[]): Promise<void> {
    return this.#writer.write("tokens", "used", times);
  }
}

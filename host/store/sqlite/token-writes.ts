// The changes of tokens, run by the writer thread.

import type { DatabaseSync } from "node:sqlite";
import type { StoredToken } from "../token-store.ts";
import { StatementCache } from "./statement-cache.ts";

export class TokenWrites {
  readonly #sql: StatementCache;

  constructor(database: DatabaseSync) {
    this.#sql = new StatementCache(database);
  }

  put({ id, hash, namespace, createdAtMs, expiresAtMs, usedAtMs, ...settings }: StoredToken): void {
    this.#sql.run(
      `INSERT INTO tokens (id, hash, namespace, settings_json, created_at_ms, expires_at_ms, used_at_ms)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
      id,
      hash,
      namespace,
      JSON.stringify(settings),
      createdAtMs,
      expiresAtMs,
      usedAtMs,
    );
  }

  remove(id: string): void {
    this.#sql.run("DELETE FROM tokens WHERE id = ?", id);
  }

  used(times: readonly (readonly [string, number])[]): void {
    for (const [id, atMs] of times) this.#sql.run("UPDATE tokens SET used_at_ms = ? WHERE id = ?", atMs, id);
  }
}

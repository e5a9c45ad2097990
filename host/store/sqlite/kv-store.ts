// Key-value stores in SQLite: reads on this thread's connection, changes through the writer thread.

import type { DatabaseSync } from "node:sqlite";
import type { Cause } from "../cause.ts";
import type { Condition } from "../condition.ts";
import type { KvEntry, KvListed, KvSet, KvStore, KvSwap } from "../kv-store.ts";
import { keyRange } from "./key-range.ts";
import { type Row, StatementCache } from "./statement-cache.ts";
import type { Writer } from "./writer.ts";

const alive = "(expires_at_ms IS NULL OR expires_at_ms > ?)";

export class SqliteKvStore implements KvStore {
  readonly #sql: StatementCache;
  readonly #writer: Writer;

  constructor(database: DatabaseSync, writer: Writer) {
    this.#sql = new StatementCache(database);
    this.#writer = writer;
  }

  get(store: string, key: string): KvEntry | null {
    const row = this.#sql.get(
      `SELECT value, version, expires_at_ms FROM kv WHERE store = ? AND key = ? AND ${alive}`,
      store,
      Buffer.from(key),
      Date.now(),
    );
    return row === undefined ? null : { value: row["value"] as Uint8Array, ...toState(row) };
  }

  list(
    store: string,
    { prefix, after, limit }: { prefix: string; after: string | null; limit: number },
  ): KvListed[] {
    const { from, end } = keyRange(prefix);
    return this.#sql
      .all(
        `SELECT key, length(value) AS bytes, version, expires_at_ms FROM kv
         WHERE store = ?1 AND key >= ?2 AND (?3 IS NULL OR key < ?3) AND (?4 IS NULL OR key > ?4)
           AND (expires_at_ms IS NULL OR expires_at_ms > ?5)
         ORDER BY key LIMIT ?6`,
        store,
        from,
        end,
        after === null ? null : Buffer.from(after),
        Date.now(),
        limit,
      )
      .map((row) => ({
        key: Buffer.from(row["key"] as Uint8Array).toString(),
        bytes: Number(row["bytes"]),
        ...toState(row),
      }));
  }

  stores(): { store: string; keys: number; bytes: number }[] {
    const sql = `SELECT store, count(*) AS keys, sum(length(value)) AS bytes FROM kv WHERE ${alive} GROUP BY store`;
    return this.#sql.all(sql, Date.now()).map((row) => ({
      store: String(row["store"]),
      keys: Number(row["keys"]),
      bytes: Number(row["bytes"]),
    }));
  }

  nextExpiryMs(): number | null {
    const next = this.#sql.get("SELECT min(expires_at_ms) AS next FROM kv WHERE expires_at_ms IS NOT NULL")?.[
      "next"
    ];
    return typeof next === "number" ? next : null;
  }

  set(change: KvSet, cause: Cause): ReturnType<KvStore["set"]> {
    return this.#writer.write("kv", "set", change, cause);
  }

  delete(
    store: string,
    key: string,
    condition: Condition<number>,
    cause: Cause,
  ): ReturnType<KvStore["delete"]> {
    return this.#writer.write("kv", "delete", store, key, condition, cause);
  }

  increment(store: string, key: string, by: bigint, cause: Cause): ReturnType<KvStore["increment"]> {
    return this.#writer.write("kv", "increment", store, key, by, cause);
  }

  compareAndSet(change: KvSwap, cause: Cause): ReturnType<KvStore["compareAndSet"]> {
    return this.#writer.write("kv", "compareAndSet", change, cause);
  }

  expire(max: number, cause: Cause): ReturnType<KvStore["expire"]> {
    return this.#writer.write("kv", "expire", max, cause);
  }
}

function toState(row: Row): Pick<KvEntry, "version" | "expiresAtMs"> {
  const expires = row["expires_at_ms"];
  return { version: Number(row["version"]), expiresAtMs: typeof expires === "number" ? expires : null };
}

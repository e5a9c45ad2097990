// The changes of key-value stores, run by the writer thread. A key that has expired is removed before
// anything else is done with it: for every change it is absent.

import type { DatabaseSync } from "node:sqlite";
import { HostError } from "../../errors.ts";
import type { KvCondition, KvSet, KvSwap } from "../kv-store.ts";
import { StatementCache } from "./statement-cache.ts";

type Stored = { readonly value: Uint8Array; readonly version: number; readonly expiresAtMs: number | null };

const int64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n };

export class KvWrites {
  readonly #sql: StatementCache;
  readonly #now: () => number;

  constructor(database: DatabaseSync, now: () => number = Date.now) {
    this.#sql = new StatementCache(database);
    this.#now = now;
  }

  set({ store, key, value, expiresAtMs, condition }: KvSet): { version: number; created: boolean } {
    const stored = this.#stored(store, key);
    assertCondition(stored, condition);
    return { version: this.#put(store, key, value, expiresAtMs), created: stored === null };
  }

  delete(store: string, key: string, condition: KvCondition): boolean {
    const stored = this.#stored(store, key);
    assertCondition(stored, condition);
    if (stored !== null) this.#remove(store, key);
    return stored !== null;
  }

  increment(store: string, key: string, by: bigint): bigint {
    const stored = this.#stored(store, key);
    const sum = (stored === null ? 0n : numberIn(stored.value)) + by;
    if (sum < int64.min || sum > int64.max) {
      throw new HostError("not_a_number", `Cannot add ${by}: the sum does not fit into 64 bits`);
    }
    this.#put(store, key, Buffer.from(sum.toString()), stored?.expiresAtMs ?? null);
    return sum;
  }

  compareAndSet({ store, key, value, expiresAtMs, expected }: KvSwap): number | null {
    const stored = this.#stored(store, key);
    const isExpected =
      stored === null || expected === null
        ? stored === expected
        : Buffer.compare(stored.value, expected) === 0;
    return isExpected ? this.#put(store, key, value, expiresAtMs) : null;
  }

  expire(max: number): number {
    const rows = this.#sql.all(
      "SELECT rowid AS id FROM kv WHERE expires_at_ms <= ? ORDER BY expires_at_ms LIMIT ?",
      this.#now(),
      max,
    );
    for (const { id } of rows) this.#sql.run("DELETE FROM kv WHERE rowid = ?", id ?? null);
    return rows.length;
  }

  #stored(store: string, key: string): Stored | null {
    const row = this.#sql.get(
      "SELECT value, version, expires_at_ms FROM kv WHERE store = ? AND key = ?",
      store,
      Buffer.from(key),
    );
    if (row === undefined) return null;
    const expiresAtMs = row["expires_at_ms"] === null ? null : Number(row["expires_at_ms"]);
    if (expiresAtMs !== null && expiresAtMs <= this.#now()) {
      this.#remove(store, key);
      return null;
    }
    return { value: row["value"] as Uint8Array, version: Number(row["version"]), expiresAtMs };
  }

  #put(store: string, key: string, value: Uint8Array, expiresAtMs: number | null): number {
    const changed = this.#sql.get("UPDATE kv_changes SET last = last + 1 RETURNING last");
    const version = Number(changed?.["last"]);
    this.#sql.run(
      `INSERT INTO kv (store, key, value, version, expires_at_ms) VALUES (?1, ?2, ?3, ?4, ?5)
       ON CONFLICT (store, key) DO UPDATE SET value = ?3, version = ?4, expires_at_ms = ?5`,
      store,
      Buffer.from(key),
      value,
      version,
      expiresAtMs,
    );
    return version;
  }

  #remove(store: string, key: string): void {
    this.#sql.run("DELETE FROM kv WHERE store = ? AND key = ?", store, Buffer.from(key));
  }
}

function assertCondition(stored: Stored | null, condition: KvCondition): void {
  const version = stored?.version ?? null;
  if (condition === "any") return;
  if (condition === "absent" && version !== null) {
    throw new HostError("precondition_failed", `The key is there, at version ${version}`);
  }
  if (condition === "absent") return;
  if (version === null) throw new HostError("precondition_failed", "The key is not there");
  if (condition === "present" || condition.includes(version)) return;
  throw new HostError("precondition_failed", `The key is at version ${version}`);
}

function numberIn(value: Uint8Array): bigint {
  const text = Buffer.from(value.buffer, value.byteOffset, Math.min(value.byteLength, 32)).toString("latin1");
  if (value.byteLength <= 20 && /^-?\d+$/.test(text)) return BigInt(text);
  const shown = JSON.stringify(text.slice(0, 20));
  throw new HostError("not_a_number", `The value is ${shown}, want a whole number in decimal digits`);
}

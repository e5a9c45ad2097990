// The changes of key-value stores, run by the writer thread. A key that has expired is removed before
// anything else is done with it: for every change it is absent.

import type { DatabaseSync } from "node:sqlite";
import { HostError } from "../../errors.ts";
import type { Cause, Told } from "../cause.ts";
import { assertCondition, type Condition } from "../condition.ts";
import type { KvSet, KvSwap } from "../kv-store.ts";
import type { EventWrites } from "./event-writes.ts";
import { type KvChange, tellOfKey } from "./kv-telling.ts";
import type { NamespaceRoom } from "./namespace-room.ts";
import { type Row, StatementCache } from "./statement-cache.ts";
import { Telling } from "./telling.ts";

type Stored = { readonly value: Uint8Array; readonly version: number; readonly expiresAtMs: number | null };

const int64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n };

export class KvWrites {
  readonly #sql: StatementCache;
  readonly #events: EventWrites;
  readonly #room: NamespaceRoom;
  readonly #now: () => number;

  constructor(
    database: DatabaseSync,
    events: EventWrites,
    room: NamespaceRoom,
    now: () => number = Date.now,
  ) {
    this.#sql = new StatementCache(database);
    this.#events = events;
    this.#room = room;
    this.#now = now;
  }

  set(change: KvSet, cause: Cause): Told & { version: number; created: boolean } {
    const telling = new Telling(this.#events, cause);
    const stored = this.#stored(telling, change.store, change.key);
    assertCondition(stored?.version ?? null, change.condition, "key");
    const version = this.#put(telling, stored, change);
    return { version, created: stored === null, published: telling.published };
  }

  delete(store: string, key: string, condition: Condition<number>, cause: Cause): Told & { found: boolean } {
    const telling = new Telling(this.#events, cause);
    const stored = this.#stored(telling, store, key);
    assertCondition(stored?.version ?? null, condition, "key");
    if (stored !== null) this.#remove(telling, "deleted", { store, key, stored });
    return { found: stored !== null, published: telling.published };
  }

  increment(store: string, key: string, by: bigint, cause: Cause): Told & { sum: bigint } {
    const telling = new Telling(this.#events, cause);
    const stored = this.#stored(telling, store, key);
    const sum = (stored === null ? 0n : numberIn(stored.value)) + by;
    if (sum < int64.min || sum > int64.max) {
      throw new HostError("not_a_number", `Cannot add ${by}: the sum does not fit into 64 bits`);
    }
    const value = Buffer.from(sum.toString());
    this.#put(telling, stored, { store, key, value, expiresAtMs: stored?.expiresAtMs ?? null });
    return { sum, published: telling.published };
  }

  compareAndSet(change: KvSwap, cause: Cause): Told & { version: number | null } {
    const { expected } = change;
    const telling = new Telling(this.#events, cause);
    const stored = this.#stored(telling, change.store, change.key);
    const isExpected =
      stored === null || expected === null
        ? stored === expected
        : Buffer.compare(stored.value, expected) === 0;
    const version = isExpected ? this.#put(telling, stored, change) : null;
    return { version, published: telling.published };
  }

  expire(max: number, cause: Cause): Told & { removed: number; untold: number } {
    const telling = new Telling(this.#events, cause);
    const rows = this.#sql.all(
      "SELECT store, key FROM kv WHERE expires_at_ms <= ? ORDER BY expires_at_ms LIMIT ?",
      this.#now(),
      max,
    );
    // Values one by one: a thousand of them may be a GiB. What is found expired is removed.
    let untold = 0;
    for (const { store, key } of rows) {
      try {
        this.#stored(telling, String(store), Buffer.from(key as Uint8Array).toString());
      } catch (error) {
        if (!(error instanceof HostError)) throw error;
        // Nothing was done with it; those that nobody listens to go nevertheless.
        untold += 1;
      }
    }
    return { removed: rows.length - untold, untold, published: telling.published };
  }

  #stored(telling: Telling, store: string, key: string): Stored | null {
    const row = this.#sql.get(
      "SELECT value, version, expires_at_ms FROM kv WHERE store = ? AND key = ?",
      store,
      Buffer.from(key),
    );
    if (row === undefined) return null;
    const stored = toStored(row);
    if (stored.expiresAtMs === null || stored.expiresAtMs > this.#now()) return stored;
    this.#remove(telling, "expired", { store, key, stored });
    return null;
  }

  #put(telling: Telling, stored: Stored | null, { store, key, value, expiresAtMs }: KvPut): number {
    const version = this.#nextVersion();
    this.#sql.run(
      `INSERT INTO kv (store, key, value, version, expires_at_ms) VALUES (?1, ?2, ?3, ?4, ?5)
       ON CONFLICT (store, key) DO UPDATE SET value = ?3, version = ?4, expires_at_ms = ?5`,
      store,
      Buffer.from(key),
      value,
      version,
      expiresAtMs,
    );
    this.#room.assertKv(store);
    tellOfKey(telling, "set", { store, key, version, value, oldValue: stored?.value ?? null });
    return version;
  }

  #remove(
    telling: Telling,
    change: Exclude<KvChange, "set">,
    { store, key, stored }: { readonly store: string; readonly key: string; readonly stored: Stored },
  ): void {
    // What cannot be told does not take place.
    tellOfKey(telling, change, {
      store,
      key,
      version: stored.version,
      value: null,
      oldValue: stored.value,
    });
    this.#sql.run("DELETE FROM kv WHERE store = ? AND key = ?", store, Buffer.from(key));
  }

  #nextVersion(): number {
    return Number(this.#sql.get("UPDATE kv_changes SET last = last + 1 RETURNING last")?.["last"]);
  }
}

type KvPut = Omit<KvSet, "condition">;

function toStored(row: Row): Stored {
  return {
    value: row["value"] as Uint8Array,
    version: Number(row["version"]),
    expiresAtMs: row["expires_at_ms"] === null ? null : Number(row["expires_at_ms"]),
  };
}

function numberIn(value: Uint8Array): bigint {
  const text = Buffer.from(value.buffer, value.byteOffset, Math.min(value.byteLength, 32)).toString("latin1");
  if (value.byteLength <= 20 && /^-?\d+$/.test(text)) return BigInt(text);
  const shown = JSON.stringify(text.slice(0, 20));
  throw new HostError("not_a_number", `The value is ${shown}, want a whole number in decimal digits`);
}

// The contract of key-value stores. Reads are synchronous and answer from committed state; changes resolve
// once they are durable. A key past its expiry is absent for all of them.

import type { Cause, Told } from "./cause.ts";
import type { Condition } from "./condition.ts";

export type KvEntry = {
  readonly value: Uint8Array;
  /** Rises with each change; never the same twice for one key. */
  readonly version: number;
  /** Unix milliseconds, or null for a key that stays. */
  readonly expiresAtMs: number | null;
};

export type KvListed = Pick<KvEntry, "version" | "expiresAtMs"> & {
  readonly key: string;
  readonly bytes: number;
};

export type KvSet = {
  readonly store: string;
  readonly key: string;
  readonly value: Uint8Array;
  readonly expiresAtMs: number | null;
  readonly condition: Condition<number>;
};

export type KvSwap = Omit<KvSet, "condition"> & {
  /** The value that it must have; null: it must be absent. */
  readonly expected: Uint8Array | null;
};

export interface KvStore {
  get(store: string, key: string): KvEntry | null;
  /** Keys with a prefix in the order of their bytes, at most `limit` of them, beyond the key `after`. */
  list(store: string, options: { prefix: string; after: string | null; limit: number }): KvListed[];
  /** Stores by name. */
  stores(): { readonly store: string; readonly keys: number; readonly bytes: number }[];
  /** Unix milliseconds at which the next key expires, or null. */
  nextExpiryMs(): number | null;

  // Each change rejects with `queue_full` or `too_deep` where triggers listen that cannot be told.

  /** The new version; rejects with `precondition_failed`. */
  set(change: KvSet, cause: Cause): Promise<Told & { readonly version: number; readonly created: boolean }>;
  /** Whether there was such a key; rejects with `precondition_failed`. */
  delete(
    store: string,
    key: string,
    condition: Condition<number>,
    cause: Cause,
  ): Promise<Told & { readonly found: boolean }>;
  /**
   * Adds to a number in decimal digits, 0 when absent, and gives the sum; the expiry stays. Rejects with
   * `not_a_number` when the value is none or the sum does not fit into 64 bits.
   */
  increment(store: string, key: string, by: bigint, cause: Cause): Promise<Told & { readonly sum: bigint }>;
  /** Sets the value when it is the expected one; the new version, or null when it was another. */
  compareAndSet(change: KvSwap, cause: Cause): Promise<Told & { readonly version: number | null }>;
  /** Removes at most `max` keys that have expired; how many it were, and how many stay that cannot be told. */
  expire(max: number, cause: Cause): Promise<Told & { readonly removed: number; readonly untold: number }>;
}

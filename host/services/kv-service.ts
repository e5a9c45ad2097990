// The key-value stores as functions and clients see them: names, keys and values checked, times to live
// turned into times of expiry. The operations of guests are in docs/abi.md.

import { HostError } from "../errors.ts";
import { keyText, storeName } from "../key.ts";
import { limits } from "../limits.ts";
import type { Question } from "../messages.ts";
import type { KvCondition, KvEntry, KvListed, KvStore } from "../store/kv-store.ts";
import type { Operation } from "./services.ts";

export type KvPage = { readonly keys: readonly KvListed[]; readonly cursor: string | null };

/** Ten years: a longer time to live is a mistake in its unit. */
const ttlSecondsMax = 10 * 366 * 86_400;

export class KvService {
  readonly #store: KvStore;
  readonly #onExpiry: (atMs: number | null) => void;

  /** `onExpiry` is told when a key is to expire, Unix ms. */
  constructor(store: KvStore, onExpiry: (atMs: number | null) => void) {
    this.#store = store;
    this.#onExpiry = onExpiry;
  }

  stores(): ReturnType<KvStore["stores"]> {
    return this.#store.stores();
  }

  get(store: string, key: string): KvEntry | null {
    return this.#store.get(storeName(store), keyText(key));
  }

  /** At most `limit` keys with a prefix, beyond the key `cursor`; `cursor` of the page is null at the end. */
  list(store: string, prefix: string, cursor: string, limit: number = limits.kvListMax): KvPage {
    const wanted = Math.min(limit, limits.kvListMax);
    const after = cursor === "" ? null : keyText(cursor);
    const found = this.#store.list(storeName(store), { prefix, after, limit: wanted + 1 });
    const keys = found.slice(0, wanted);
    return { keys, cursor: found.length > wanted ? (keys.at(-1)?.key ?? null) : null };
  }

  /** `ttlSeconds` 0: it stays. */
  async set(
    store: string,
    key: string,
    value: Uint8Array,
    options: { readonly ttlSeconds: number; readonly condition: KvCondition },
  ): Promise<{ version: number; created: boolean }> {
    const expiresAtMs = expiryOf(options.ttlSeconds);
    const change = { store: storeName(store), key: keyText(key), value: checked(value), expiresAtMs };
    const done = await this.#store.set({ ...change, condition: options.condition });
    this.#onExpiry(expiresAtMs);
    return done;
  }

  delete(store: string, key: string, condition: KvCondition): Promise<boolean> {
    return this.#store.delete(storeName(store), keyText(key), condition);
  }

  increment(store: string, key: string, by: bigint): Promise<bigint> {
    return this.#store.increment(storeName(store), keyText(key), by);
  }

  async compareAndSet(
    store: string,
    key: string,
    expected: Uint8Array | null,
    value: Uint8Array,
    ttlSeconds: number,
  ): Promise<number | null> {
    const expiresAtMs = expiryOf(ttlSeconds);
    const change = { store: storeName(store), key: keyText(key), value: checked(value), expiresAtMs };
    const version = await this.#store.compareAndSet({ ...change, expected });
    this.#onExpiry(expiresAtMs);
    return version;
  }

  /** What guests may ask. */
  get operations(): Readonly<Record<string, Operation>> {
    return {
      "kv.get": ({ args: [store = "", key = ""] }) => {
        const entry = this.get(store, key);
        return entry === null ? { values: [] } : { values: [String(entry.version)], body: entry.value };
      },
      "kv.set": async ({ args: [store = "", key = "", ttl = "0"], body }) => {
        const options = { ttlSeconds: Number(ttl), condition: "any" } as const;
        return { values: [String((await this.set(store, key, body, options)).version)] };
      },
      "kv.delete": async ({ args: [store = "", key = ""] }) => ({
        values: [String(await this.delete(store, key, "any"))],
      }),
      "kv.increment": async ({ args: [store = "", key = "", by = "1"] }) => ({
        values: [String(await this.increment(store, key, integer(by)))],
      }),
      "kv.compare-and-set": async (question) => {
        const { store, key, ttlSeconds, expected, value } = swap(question);
        const version = await this.compareAndSet(store, key, expected, value, ttlSeconds);
        return { values: [String(version !== null)] };
      },
      "kv.list": ({ args: [store = "", prefix = "", cursor = ""] }) => {
        const page = this.list(store, prefix, cursor);
        return { values: [page.cursor ?? "", ...page.keys.map(({ key }) => key)] };
      },
    };
  }
}

/** The body is the expected value, when there is to be one, and the new one. */
function swap({ args: [store = "", key = "", ttl = "0", expectedBytes = ""], body }: Question) {
  const split = expectedBytes === "" ? 0 : Number(expectedBytes);
  if (!Number.isSafeInteger(split) || split < 0 || split > body.byteLength) {
    throw new HostError("bad_request", "The expected value is longer than the question");
  }
  const expected = expectedBytes === "" ? null : body.subarray(0, split);
  return { store, key, ttlSeconds: Number(ttl), expected, value: body.subarray(split) };
}

function integer(text: string): bigint {
  if (/^-?\d{1,19}$/.test(text)) return BigInt(text);
  throw new HostError("not_a_number", `Cannot add ${JSON.stringify(text.slice(0, 20))}: want a whole number`);
}

function checked(value: Uint8Array): Uint8Array {
  if (value.byteLength <= limits.kvValueBytesMax) return value;
  throw new HostError(
    "value_too_large",
    `The value has ${value.byteLength} bytes, limit is ${limits.kvValueBytesMax}`,
  );
}

function expiryOf(ttlSeconds: number): number | null {
  if (ttlSeconds === 0) return null;
  if (ttlSeconds > 0 && ttlSeconds <= ttlSecondsMax) return Math.ceil(Date.now() + ttlSeconds * 1_000);
  throw new HostError(
    "bad_request",
    `The time to live is ${ttlSeconds}, want seconds up to ${ttlSecondsMax}, or 0 for ever`,
  );
}

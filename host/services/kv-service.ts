// The key-value stores as functions and clients see them: names, keys and values checked, times to live
// turned into times of expiry. Stores are named as they are kept, namespace included: a guest's are those of its
// function's. The operations of guests are in docs/abi.md.

import { HostError } from "../errors.ts";
import type { EventQueue } from "../events/queue.ts";
import type { ErrandContext } from "../invocation.ts";
import { keyText, storeName } from "../key.ts";
import { limits } from "../limits.ts";
import type { Question } from "../messages.ts";
import { namespaceOf } from "../namespace.ts";
import type { Condition } from "../store/condition.ts";
import type { KvEntry, KvListed, KvStore } from "../store/kv-store.ts";
import type { Operation } from "./services.ts";

export type KvPage = { readonly keys: readonly KvListed[]; readonly cursor: string | null };

/** Ten years: a longer time to live is a mistake in its unit. */
const ttlSecondsMax = 10 * 366 * 86_400;

export class KvService {
  readonly #store: KvStore;
  readonly #queue: Pick<EventQueue, "telling">;
  readonly #onExpiry: (atMs: number | null) => void;

  /** `onExpiry` is told when a key is to expire, Unix ms. */
  constructor(store: KvStore, queue: Pick<EventQueue, "telling">, onExpiry: (atMs: number | null) => void) {
    this.#store = store;
    this.#queue = queue;
    this.#onExpiry = onExpiry;
  }

  stores(): ReturnType<KvStore["stores"]> {
    return this.#store.stores();
  }

  get(store: string, key: string): KvEntry | null {
    return this.#store.get(store, keyText(key));
  }

  /** At most `limit` keys with a prefix, beyond the key `cursor`; `cursor` of the page is null at the end. */
  list(store: string, prefix: string, cursor: string, limit: number = limits.kvListMax): KvPage {
    const wanted = Math.min(limit, limits.kvListMax);
    const after = cursor === "" ? null : keyText(cursor);
    const found = this.#store.list(store, { prefix, after, limit: wanted + 1 });
    const keys = found.slice(0, wanted);
    return { keys, cursor: found.length > wanted ? (keys.at(-1)?.key ?? null) : null };
  }

  /** `ttlSeconds` 0: it stays. `depth`: how many calls of functions led to the change. */
  async set(
    store: string,
    key: string,
    value: Uint8Array,
    options: { readonly ttlSeconds: number; readonly condition: Condition<number>; readonly depth: number },
  ): Promise<{ version: number; created: boolean }> {
    const expiresAtMs = expiryOf(options.ttlSeconds);
    const { condition, depth } = options;
    const change = {
      store,
      key: keyText(key),
      value: checked(value),
      expiresAtMs,
      condition,
    };
    const done = await this.#queue.telling((room) => this.#store.set(change, { depth, room }));
    this.#onExpiry(expiresAtMs);
    return done;
  }

  async delete(store: string, key: string, condition: Condition<number>, depth: number): Promise<boolean> {
    const address = [store, keyText(key)] as const;
    const done = await this.#queue.telling((room) =>
      this.#store.delete(...address, condition, { depth, room }),
    );
    return done.found;
  }

  async increment(store: string, key: string, by: bigint, depth: number): Promise<bigint> {
    const address = [store, keyText(key)] as const;
    return (await this.#queue.telling((room) => this.#store.increment(...address, by, { depth, room }))).sum;
  }

  async compareAndSet(
    store: string,
    key: string,
    values: { readonly expected: Uint8Array | null; readonly value: Uint8Array; readonly ttlSeconds: number },
    depth: number,
  ): Promise<number | null> {
    const { expected, value, ttlSeconds } = values;
    const expiresAtMs = expiryOf(ttlSeconds);
    const change = {
      store,
      key: keyText(key),
      value: checked(value),
      expiresAtMs,
      expected,
    };
    const done = await this.#queue.telling((room) => this.#store.compareAndSet(change, { depth, room }));
    this.#onExpiry(expiresAtMs);
    return done.version;
  }

  nextExpiryMs(): number | null {
    return this.#store.nextExpiryMs();
  }

  /** Removes at most `max` keys that have expired; how many it were. Rejects with `queue_full` when some stay. */
  async expire(max: number): Promise<number> {
    const done = await this.#queue.telling((room) => this.#store.expire(max, { depth: 0, room }));
    if (done.untold === 0) return done.removed;
    throw new HostError(
      "queue_full",
      `${done.untold} keys have expired that the queue has no room to tell of`,
    );
  }

  /** What guests may ask. */
  get operations(): Readonly<Record<string, Operation>> {
    return {
      "kv.get": ({ args: [store = "", key = ""] }, { deployment }) => {
        const entry = this.get(storeOf(deployment, store), key);
        return entry === null ? { values: [] } : { values: [String(entry.version)], body: entry.value };
      },
      "kv.set": async ({ args: [store = "", key = "", ttl = "0"], body }, { deployment, depth }) => {
        const options = { ttlSeconds: Number(ttl), condition: "any", depth } as const;
        return { values: [String((await this.set(storeOf(deployment, store), key, body, options)).version)] };
      },
      "kv.delete": async ({ args: [store = "", key = ""] }, { deployment, depth }) => ({
        values: [String(await this.delete(storeOf(deployment, store), key, "any", depth))],
      }),
      "kv.increment": async ({ args: [store = "", key = "", by = "1"] }, { deployment, depth }) => ({
        values: [String(await this.increment(storeOf(deployment, store), key, integer(by), depth))],
      }),
      "kv.compare-and-set": async (question, { deployment, depth }) => {
        const { store, key, ...values } = swap(question);
        return {
          values: [
            String((await this.compareAndSet(storeOf(deployment, store), key, values, depth)) !== null),
          ],
        };
      },
      "kv.list": ({ args: [store = "", prefix = "", cursor = ""] }, { deployment }) => {
        const page = this.list(storeOf(deployment, store), prefix, cursor);
        return { values: [page.cursor ?? "", ...page.keys.map(({ key }) => key)] };
      },
    };
  }
}

/** A store of the namespace that a function is in. */
function storeOf({ name }: ErrandContext["deployment"], store: string): string {
  return storeName(store, namespaceOf(name));
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

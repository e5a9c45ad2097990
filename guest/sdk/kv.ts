// Key-value stores of the host.

import { question } from "./question";
import { utf8Bytes } from "./utf8";

/**
 * Stores in which functions keep what outlives a call. What is set is on disk when `set` returns.
 *
 * ```ts
 * const links = kv.open("links");
 * const url = links.get("a1b2");
 * ```
 */
export namespace kv {
  /**
   * The store of a name, 1 to 63 of `a-z`, `0-9` and inner hyphens. It need not be made before.
   *
   * ```ts
   * const visits = kv.open("visits");
   * ```
   */
  export function open(store: string): KvStore {
    return new KvStore(store);
  }
}

/**
 * A store; `kv.open` gives one. Keys are texts of up to 1,024 bytes, values up to 1 MiB. What cannot be
 * done throws, and so ends the call unless it is caught.
 *
 * ```ts
 * const sessions: KvStore = kv.open("sessions");
 * ```
 */
export class KvStore {
  private store: string;

  /** Made by the SDK; `kv.open` gives one. */
  constructor(store: string) {
    this.store = store;
  }

  /**
   * The value of a key as text, or `null` when there is none.
   *
   * ```ts
   * const url = kv.open("links").get(id);
   * if (url === null) return Response.text("no such link", 404);
   * ```
   */
  get(key: string): string | null {
    const answer = question("kv.get", [this.store, key]);
    return answer.values.length === 0 ? null : answer.text();
  }

  /**
   * The value of a key as bytes, or `null` when there is none.
   *
   * ```ts
   * const image = kv.open("icons").getBytes("home");
   * ```
   */
  getBytes(key: string): Uint8Array | null {
    const answer = question("kv.get", [this.store, key]);
    return answer.values.length === 0 ? null : answer.body;
  }

  /**
   * Sets the value of a key. It is gone after `ttlSeconds`; with 0 it stays.
   *
   * ```ts
   * kv.open("sessions").set(token, user, 3600);
   * ```
   */
  set(key: string, value: string, ttlSeconds: i32 = 0): void {
    this.setBytes(key, utf8Bytes(value), ttlSeconds);
  }

  /**
   * As `set`, with bytes.
   *
   * ```ts
   * kv.open("icons").setBytes("home", req.body);
   * ```
   */
  setBytes(key: string, value: Uint8Array, ttlSeconds: i32 = 0): void {
    question("kv.set", [this.store, key, ttlSeconds.toString()], value);
  }

  /**
   * Deletes a key; whether it was there.
   *
   * ```ts
   * const wasThere = kv.open("sessions").delete(token);
   * ```
   */
  delete(key: string): bool {
    return question("kv.delete", [this.store, key]).values[0] === "true";
  }

  /**
   * Adds to the number that is the value of a key, 0 when there is none, and gives the sum. No two calls
   * get the same one.
   *
   * ```ts
   * const visits = kv.open("visits").increment("total");
   * ```
   */
  increment(key: string, by: i64 = 1): i64 {
    const answer = question("kv.increment", [this.store, key, by.toString()]);
    return I64.parseInt(answer.values[0]);
  }

  /**
   * Sets a value only where the key has the expected one, `null` for none; whether it did.
   *
   * ```ts
   * const taken = !kv.open("names").compareAndSet(name, null, owner);
   * ```
   */
  compareAndSet(key: string, expected: string | null, value: string, ttlSeconds: i32 = 0): bool {
    const was = utf8Bytes(expected === null ? "" : expected);
    const bytes = utf8Bytes(value);
    const both = new Uint8Array(was.length + bytes.length);
    both.set(was);
    both.set(bytes, was.length);
    const length = expected === null ? "" : was.length.toString();
    const args = [this.store, key, ttlSeconds.toString(), length];
    return question("kv.compare-and-set", args, both).values[0] === "true";
  }

  /**
   * Keys with a prefix, in the order of their bytes, at most 1,000 at a time; the page's cursor leads to
   * the next ones.
   *
   * ```ts
   * let page = kv.open("links").list("user/7/");
   * while (true) {
   *   for (let i = 0; i < page.keys.length; i++) log.info(page.keys[i]);
   *   if (page.cursor === null) break;
   *   page = kv.open("links").list("user/7/", page.cursor);
   * }
   * ```
   */
  list(prefix: string = "", cursor: string | null = null): KvPage {
    const after = cursor === null ? "" : cursor;
    const values = question("kv.list", [this.store, prefix, after]).values;
    return new KvPage(values.slice(1), values[0].length === 0 ? null : values[0]);
  }
}

/**
 * Some keys of a store.
 *
 * ```ts
 * const page: KvPage = kv.open("links").list();
 * ```
 */
export class KvPage {
  /**
   * The keys, in order.
   *
   * ```ts
   * const first = kv.open("links").list().keys[0];
   * ```
   */
  readonly keys: string[];

  /**
   * For the next page; `null` at the end.
   *
   * ```ts
   * const isLast = page.cursor === null;
   * ```
   */
  readonly cursor: string | null;

  /** Made by the SDK; `list` gives one. */
  constructor(keys: string[], cursor: string | null) {
    this.keys = keys;
    this.cursor = cursor;
  }
}

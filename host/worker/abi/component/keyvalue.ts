// wasi:keyvalue 0.2.0-draft2 on the key-value stores of the host (docs/stores.md): a bucket is a store, and the
// same rules hold as for every guest's questions. What is compared and swapped there is not offered.

import { decodeAnswer, encodeQuestion } from "../../../messages.ts";
import { bad, done, good, option, type Result, record, result, tuple, variant } from "./compound-types.ts";
import type { ComponentGuest } from "./guest.ts";
import { func, type Interface, waitingFunc } from "./host-function.ts";
import { type Keep, Kept } from "./kept.ts";
import { borrow, own } from "./resources.ts";
import { bool, bytes, list, string, u64 } from "./value-types.ts";

class Bucket {
  readonly store: string;
  readonly #kept: Kept;

  constructor(keep: Keep, store: string) {
    this.store = store;
    this.#kept = new Kept(keep);
    this.#kept.add(2 * store.length);
  }

  dropped(): void {
    this.#kept.release();
  }
}

const error = variant({ "no-such-store": null, "access-denied": null, other: string });
type StoreError =
  | { readonly tag: "no-such-store" | "access-denied"; readonly value?: undefined }
  | { readonly tag: "other"; readonly value: string };
type Answer = { readonly values: readonly string[]; readonly body: Uint8Array };

const none = new Uint8Array(0);

/** Asks a store; what it answered, or why it did not. */
async function ask(
  guest: ComponentGuest,
  operation: string,
  args: readonly string[],
  body: Uint8Array = none,
): Promise<Result<Answer, StoreError>> {
  const { call, waiter } = guest;
  const question = encodeQuestion({ operation, args, body });
  const { failed, message } = await waiter.wait(call.errand("ask", question), () => call.end());
  if (failed) return bad({ tag: "other", value: Buffer.from(message).toString() });
  return good(decodeAnswer(message));
}

const bucket = borrow(Bucket);
const value = option(bytes);

async function get(guest: ComponentGuest, { store }: Bucket, key: string) {
  const answer = await ask(guest, "kv.get", [store, key]);
  if (answer.tag === "err") return answer;
  return good(answer.value.values.length === 0 ? undefined : answer.value.body);
}

const set = (guest: ComponentGuest, { store }: Bucket, key: string, bytes: Uint8Array) =>
  ask(guest, "kv.set", [store, key, "0"], bytes);

const remove = (guest: ComponentGuest, { store }: Bucket, key: string) =>
  ask(guest, "kv.delete", [store, key]);

const told = (answer: Result<unknown, StoreError>): Result<undefined, StoreError> =>
  answer.tag === "ok" ? done : answer;

export const store: Interface = {
  resources: ["bucket"],
  functions: {
    open: func([string], result(own(Bucket), error), ({ call }, name) => good(new Bucket(call.keep, name))),
    "[method]bucket.get": waitingFunc([bucket, string], result(value, error), get),
    "[method]bucket.set": waitingFunc(
      [bucket, string, bytes],
      result(null, error),
      async (guest, of, key, given) => told(await set(guest, of, key, given)),
    ),
    "[method]bucket.delete": waitingFunc([bucket, string], result(null, error), async (guest, of, key) =>
      told(await remove(guest, of, key)),
    ),
    "[method]bucket.exists": waitingFunc([bucket, string], result(bool, error), async (guest, of, key) => {
      const found = await get(guest, of, key);
      return found.tag === "err" ? found : good(found.value !== undefined);
    }),
    "[method]bucket.list-keys": waitingFunc(
      [bucket, option(string)],
      result(record({ keys: list(string), cursor: option(string) }), error),
      async (guest, { store: name }, cursor) => {
        const answer = await ask(guest, "kv.list", [name, "", cursor ?? ""]);
        if (answer.tag === "err") return answer;
        const [next = "", ...keys] = answer.value.values;
        return good({ keys, cursor: next === "" ? undefined : next });
      },
    ),
  },
};

/** What the guest counts with is signed, and so is what comes back. */
export const atomics: Interface = {
  resources: [],
  functions: {
    increment: waitingFunc(
      [bucket, string, u64],
      result(u64, error),
      async (guest, { store: name }, key, delta) => {
        const answer = await ask(guest, "kv.increment", [name, key, String(BigInt.asIntN(64, delta))]);
        return answer.tag === "err" ? answer : good(BigInt(answer.value.values[0] ?? 0));
      },
    ),
  },
};

export const batch: Interface = {
  resources: [],
  functions: {
    "get-many": waitingFunc(
      [bucket, list(string)],
      result(list(option(tuple(string, bytes))), error),
      async (guest, of, keys) => {
        const found: (readonly [string, Uint8Array] | undefined)[] = [];
        for (const key of keys) {
          const one = await get(guest, of, key);
          if (one.tag === "err") return one;
          found.push(one.value && [key, one.value]);
        }
        return good(found);
      },
    ),
    "set-many": waitingFunc(
      [bucket, list(tuple(string, bytes))],
      result(null, error),
      async (guest, of, entries) => {
        const kept = new Kept(guest.call.keep);
        kept.add(entries.reduce((sum, [, given]) => sum + given.byteLength, 0));
        // The views are of memory that the guest may change while it waits.
        const copies = entries.map(([key, given]) => [key, given.slice()] as const);
        try {
          for (const [key, given] of copies) {
            const one = await set(guest, of, key, given);
            if (one.tag === "err") return one;
          }
        } finally {
          kept.release();
        }
        return done;
      },
    ),
    "delete-many": waitingFunc([bucket, list(string)], result(null, error), async (guest, of, keys) => {
      for (const key of keys) {
        const one = await remove(guest, of, key);
        if (one.tag === "err") return one;
      }
      return done;
    }),
  },
};

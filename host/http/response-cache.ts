// Answers that are kept for routes, as a shared cache has it (RFC 9111): what may be kept, for how long and
// for whom is up to the answer's headers. In memory, bounded in bytes; the least recently used go first.
// Nothing is kept by guess: an answer without explicit freshness is asked for again, with its validator.

import type { IncomingHttpHeaders } from "node:http";
import CachePolicy from "http-cache-semantics";
import { LRUCache } from "lru-cache";
import { limits } from "../limits.ts";
import type { GuestResponse } from "./guest-response.ts";

export type CacheRequest = {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
};

/** An answer that is kept, and whether it may be given without asking again. */
export type Kept = {
  readonly isFresh: boolean;
  readonly entry: Entry;
};

type Entry = { readonly policy: CachePolicy; readonly status: number; readonly body: Uint8Array };

/** Which headers of a request choose among the answers of a key; what is kept under an older `id` is gone. */
type Variants = { readonly id: number; readonly names: readonly string[] };

const keysMax = 100_000;
/** Of what an entry takes beside its body: a policy with two sets of headers. */
const entryBytes = 2_048;

export class ResponseCache {
  readonly #variants = new LRUCache<string, Variants>({ max: keysMax });
  readonly #entries: LRUCache<string, Entry>;
  readonly #answerBytesMax: number;
  #lastId = 0;

  constructor(
    bytesMax: number = limits.responseCacheBytesMax,
    answerBytesMax: number = limits.responseCacheAnswerBytesMax,
  ) {
    this.#answerBytesMax = answerBytesMax;
    this.#entries = new LRUCache({
      maxSize: bytesMax,
      sizeCalculation: ({ body }, key) => body.byteLength + 2 * key.length + entryBytes,
    });
  }

  find(key: string, request: CacheRequest): Kept | null {
    const variants = this.#variants.get(key);
    if (variants === undefined) return null;
    const entry = this.#entries.get(variantKey(key, variants, request));
    if (entry === undefined) return null;
    return { isFresh: entry.policy.satisfiesWithoutRevalidation(asked(request)), entry };
  }

  /** Keeps an answer, if it may be; whether it is kept. */
  store(key: string, request: CacheRequest, guest: GuestResponse): boolean {
    const { body } = guest;
    if (request.method !== "GET" || body === null || body.byteLength > this.#answerBytesMax) return false;
    const headers = byName(guest.headers);
    // Whoever gets it next is somebody else.
    if (headers["set-cookie"] !== undefined || headers["vary"]?.includes("*")) return false;
    const policy = new CachePolicy(asked(request), { status: guest.status, headers }, options);
    if (!policy.storable()) return false;
    // The bytes lie in memory that the next call gets; of a Buffer slice() is no copy.
    const entry = { policy, status: guest.status, body: new Uint8Array(body) };
    // It could neither be given unasked nor be asked for again.
    if (policy.timeToLive() <= 0 && this.validators(entry).length === 0) return false;
    this.#put(key, request, entry);
    return true;
  }

  /** The validators of an entry that is to be asked for again, in place of the client's own. */
  validators({ policy }: Entry): string[] {
    const headers = policy.responseHeaders();
    const found: string[] = [];
    if (typeof headers["etag"] === "string") found.push("if-none-match", headers["etag"]);
    if (typeof headers["last-modified"] === "string")
      found.push("if-modified-since", headers["last-modified"]);
    return found;
  }

  /** The guest said that an entry holds still: it does from now on, with the headers that came. */
  refresh(key: string, request: CacheRequest, entry: Entry, headers: readonly string[]): Entry {
    // That it is the one that was asked about is known: no other validator was sent.
    const { age: _age, date: _date, ...before } = plain(entry.policy.responseHeaders());
    const merged = { ...before, ...byName(headers) };
    const policy = new CachePolicy(asked(request), { status: entry.status, headers: merged }, options);
    const next = { ...entry, policy };
    if (policy.storable()) this.#put(key, request, next);
    else this.invalidate(key);
    return next;
  }

  /** What is kept under a key is not to be given any more (section 4.4). */
  invalidate(key: string): void {
    this.#variants.delete(key);
  }

  #put(key: string, request: CacheRequest, entry: Entry): void {
    const names = varyNames(entry.policy.responseHeaders()["vary"]);
    let variants = this.#variants.get(key);
    if (variants?.names.join() !== names.join()) {
      this.#lastId += 1;
      variants = { id: this.#lastId, names };
      this.#variants.set(key, variants);
    }
    this.#entries.set(variantKey(key, variants as Variants, request), entry);
  }
}

/** What a client gets of an entry: 304 where it has it already (RFC 9110, section 13.2.2). */
export function keptResponse(
  { policy, status, body }: Entry,
  { method, headers }: CacheRequest,
): GuestResponse {
  const { date: _date, "content-length": _length, ...rest } = plain(policy.responseHeaders());
  const shown = Object.entries(rest).flat();
  if (isKnown(rest, headers)) return { status: 304, headers: shown, body: null, contentLength: null };
  return { status, headers: shown, body: method === "HEAD" ? null : body, contentLength: body.byteLength };
}

const options = { shared: true, cacheHeuristic: 0 };

function asked({ method, url, headers }: CacheRequest): CachePolicy.Request {
  // A HEAD is answered by what was kept of a GET. What the client has itself is no matter of the policy.
  const { "if-none-match": _tag, "if-modified-since": _date, ...rest } = headers;
  return { method: method === "HEAD" ? "GET" : method, url, headers: rest };
}

function isKnown(kept: Readonly<Record<string, string>>, headers: IncomingHttpHeaders): boolean {
  const tags = headers["if-none-match"];
  if (tags !== undefined) {
    const etag = kept["etag"]?.replace(/^W\//, "");
    const list = tags.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
    return list.includes("*") || (etag !== undefined && list.includes(etag));
  }
  const since = Date.parse(headers["if-modified-since"] ?? "");
  return Date.parse(kept["last-modified"] ?? "") <= since;
}

function varyNames(vary: string | string[] | undefined): string[] {
  const list = Array.isArray(vary) ? vary.join(",") : (vary ?? "");
  return list
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "")
    .sort();
}

function variantKey(key: string, { id, names }: Variants, { headers }: CacheRequest): string {
  return JSON.stringify([key, id, ...names.map((name) => headers[name] ?? null)]);
}

/** Several of a name are joined, as HTTP has it. */
function byName(headers: readonly string[]): Record<string, string> {
  const named: Record<string, string> = Object.create(null);
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = (headers[index] ?? "").toLowerCase();
    const before = named[name];
    named[name] =
      before === undefined ? (headers[index + 1] ?? "") : `${before}, ${headers[index + 1] ?? ""}`;
  }
  return named;
}

function plain(headers: CachePolicy.Headers): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(", ") : value]],
    ),
  );
}

// A call that came by a route: what the route adds to the request and to the answer, and the answers that
// are kept for it. Made for one request; the data plane asks it where there is one.

import type { IncomingMessage } from "node:http";
import type { Deployment } from "../function.ts";
import { corsHeaders, withoutCors } from "./cors.ts";
import type { GuestResponse } from "./guest-response.ts";
import { requestHeaders } from "./headers.ts";
import { type CacheRequest, type Kept, keptResponse, type ResponseCache } from "./response-cache.ts";
import type { RouteMatch } from "./route-table.ts";

/** Methods after which what is kept of the same URL may not hold (RFC 9110, section 9.2.1). */
const safeMethods = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);

export class ViaRoute {
  readonly #match: RouteMatch;
  readonly #request: IncomingMessage;
  /** Null where nothing is kept for the route. */
  readonly #cache: ResponseCache | null;
  #stale: Kept | null = null;

  constructor(match: RouteMatch, request: IncomingMessage, cache: ResponseCache) {
    this.#match = match;
    this.#request = request;
    this.#cache = match.route.settings.cache ? cache : null;
  }

  /** What the guest gets as the request's headers; names and values alternate. */
  get requestHeaders(): string[] {
    const sent = requestHeaders(this.#request.rawHeaders);
    const headers = this.#stale === null ? sent : this.#conditional(sent, this.#stale);
    const { route, values } = this.#match;
    headers.push("x-mayfly-route", route.id);
    const names = route.pattern.segments.flatMap((each) => (each.kind === "param" ? [each.name] : []));
    if (names.length > 0) {
      const pairs = names.map((name, index) => `${name}=${formValue(values[index] ?? "")}`);
      headers.push("x-mayfly-route-params", pairs.join("&"));
    }
    return headers;
  }

  /** The answer that is kept for such a request, or null: then the function is called. */
  kept(deployment: Deployment): GuestResponse | null {
    const cache = this.#cache;
    if (cache === null || !this.#mayBeKept()) return null;
    const asked = this.#asked;
    const found = cache.find(this.#key(deployment), asked);
    if (found === null) return null;
    if (found.isFresh) return this.#shown(keptResponse(found.entry, asked), "hit");
    // A HEAD has no body that could be kept anew.
    if (asked.method === "GET" && cache.validators(found.entry).length > 0) this.#stale = found;
    return null;
  }

  /** A whole answer of the function, as the client gets it. */
  answered(deployment: Deployment, guest: GuestResponse): GuestResponse {
    const cache = this.#cache;
    if (cache === null) return this.#shown(guest, null);
    const key = this.#key(deployment);
    const asked = this.#asked;
    if (!safeMethods.has(asked.method)) {
      if (guest.status < 400) cache.invalidate(key);
      return this.#shown(guest, null);
    }
    if (!this.#mayBeKept()) return this.#shown(guest, "fwd=bypass");
    if (this.#stale !== null && guest.status === 304) {
      const entry = cache.refresh(key, asked, this.#stale.entry, guest.headers);
      return this.#shown(keptResponse(entry, asked), "hit; fwd=stale; fwd-status=304");
    }
    const isKept = cache.store(key, asked, guest);
    const how = this.#stale === null ? "fwd=miss" : "fwd=stale";
    return this.#shown(guest, isKept ? `${how}; stored` : how);
  }

  /** The head of an answer that goes out as it comes; it is not kept. */
  streamed(guest: GuestResponse): GuestResponse {
    return this.#shown(guest, null);
  }

  /** The headers of an answer of the host in place of the function's. */
  get failureHeaders(): string[] {
    const { cors } = this.#match.route.settings;
    return cors === undefined ? [] : corsHeaders(cors, this.#request.headers);
  }

  get #asked(): CacheRequest {
    const { method = "GET", url = "/", headers } = this.#request;
    return { method, url, headers };
  }

  /** One version's answers are not another's: a release is seen at once. */
  #key({ id, configRevision }: Deployment): string {
    const { url = "/", headers } = this.#request;
    return `${id} ${configRevision} ${(headers.host ?? "").toLowerCase()} ${url}`;
  }

  #mayBeKept(): boolean {
    const { method, headers } = this.#request;
    if (method !== "GET" && method !== "HEAD") return false;
    // Parts are not kept, nor what may depend on a body.
    return (
      headers.range === undefined &&
      headers["content-length"] === undefined &&
      headers["transfer-encoding"] === undefined
    );
  }

  #conditional(sent: readonly string[], { entry }: Kept): string[] {
    const headers: string[] = [];
    for (let index = 0; index + 1 < sent.length; index += 2) {
      const name = sent[index] ?? "";
      if (name !== "if-none-match" && name !== "if-modified-since") headers.push(name, sent[index + 1] ?? "");
    }
    return [...headers, ...(this.#cache?.validators(entry) ?? [])];
  }

  /** `cacheStatus` as RFC 9211 has it, or null to say nothing. */
  #shown(guest: GuestResponse, cacheStatus: string | null): GuestResponse {
    const { cors } = this.#match.route.settings;
    const headers = cors === undefined ? [...guest.headers] : withoutCors(guest.headers);
    if (cors !== undefined) headers.push(...corsHeaders(cors, this.#request.headers));
    if (cacheStatus !== null) headers.push("cache-status", `mayfly; ${cacheStatus}`);
    return { ...guest, headers };
  }
}

/** A segment as it was sent, in the form of a query: its percent-encoding is left. */
function formValue(segment: string): string {
  return segment.replace(/[&+=]|[^\x21-\x7e]/g, (byte) => {
    return `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
  });
}

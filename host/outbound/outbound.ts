// All control flow of a guest's fetch, from its message to the answer's:
//
//   decode     the method, URL and headers are checked
//   ->         another function of this host, when the URL names one: no network (http/internal-calls.ts)
//   place      a place among the fetches of the function and of the host, or a wait for one
//   hop        the host is allowed, each of its addresses too; then the request, to one of those
//   redirect   the next hop, checked as the first was
//   encode     the response message
//
// Whatever the guest or the other side does wrong is a failure that the guest is told of.

import type { LookupAddress } from "node:dns";
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { AllowedHosts, plainHost } from "../allowed-hosts.ts";
import { HostError } from "../errors.ts";
import type { Deployment, FunctionConfig } from "../function.ts";
import type { BodyBudget, BodyShare } from "../http/body-budget.ts";
import { headerFault, methodFault, outboundHeaders } from "../http/headers.ts";
import type { InternalCalls } from "../http/internal-calls.ts";
import type { ErrandContext, ErrandReply } from "../invocation.ts";
import { limits } from "../limits.ts";
import { decodeFetch, encodeResponse, type FetchMessage, MessageError } from "../messages.ts";
import { namespaceOf } from "../namespace.ts";
import { isPublicAddress } from "./addresses.ts";
import { type Hop, type HopAnswer, Hops } from "./hop.ts";
import { Places } from "./places.ts";
import { nextHop } from "./redirect.ts";

export type OutboundParts = {
  readonly internalCalls: Pick<InternalCalls, "call">;
  readonly bodies: BodyBudget;
  /** The addresses of a host name; the system's resolver unless given. */
  readonly resolve?: (hostname: string) => Promise<readonly LookupAddress[]>;
};

/** Why a fetch failed: a word for programs, then a sentence. */
export class FetchFailure extends Error {
  constructor(code: FailureCode, sentence: string, options: ErrorOptions = {}) {
    super(`${code}: ${sentence}`, options);
  }
}

export type FailureCode =
  | "invalid_request"
  | "host_not_allowed"
  | "too_many_redirects"
  | "too_deep"
  | "unreachable"
  | "timeout"
  | "answer_too_large"
  | "overloaded";

const internalDomain = ".mayfly.internal";
const systemLookup = (hostname: string): Promise<LookupAddress[]> => lookup(hostname, { all: true });

export class Outbound {
  readonly #parts: OutboundParts;
  readonly #resolve: (hostname: string) => Promise<readonly LookupAddress[]>;
  readonly #hops = new Hops();
  readonly #places = new Places(limits.fetchesAtOnceMax, limits.fetchesAtOncePerFunctionMax);
  /** One of each function: whoever asks for slow names waits behind himself. */
  readonly #lookups = new Places(limits.lookupsAtOnceMax, 1);
  readonly #allowed = new WeakMap<FunctionConfig, AllowedHosts>();

  constructor(parts: OutboundParts) {
    this.#parts = parts;
    this.#resolve = parts.resolve ?? systemLookup;
  }

  /** Fetches what `message` asks for (docs/abi.md); rejects on a fault of ours, or when the call is over. */
  async fetch(context: ErrandContext, message: Uint8Array): Promise<ErrandReply> {
    try {
      return { failed: false, message: await this.#fetch(context, message) };
    } catch (error) {
      if (!(error instanceof FetchFailure)) throw error;
      return { failed: true, message: new TextEncoder().encode(error.message) };
    }
  }

  close(): void {
    this.#hops.close();
  }

  async #fetch(context: ErrandContext, message: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
    const wanted = decode(message);
    const url = parseUrl(wanted.url);
    if (context.depth >= limits.callDepthMax) {
      throw new FetchFailure("too_deep", `functions call one another at most ${limits.callDepthMax} deep`);
    }
    const name = plainHost(url.hostname);
    if (name.endsWith(internalDomain)) {
      return this.#internal(context, wanted, url, name.slice(0, -internalDomain.length));
    }
    using limit = timeLimit(context.signal, wanted.timeoutMs);
    try {
      using share = this.#parts.bodies.share();
      share.add(wanted.body.byteLength);
      using _place = await this.#places.take(context.deployment.name, limit.signal);
      return await this.#follow(context, wanted, url, share, limit.signal);
    } catch (error) {
      throw failureOf(error, limit.signal, context.signal);
    }
  }

  /** The first hop, and those that its answers lead to. */
  async #follow(
    context: ErrandContext,
    wanted: FetchMessage,
    first: URL,
    share: BodyShare,
    signal: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer>> {
    let request = {
      url: first,
      method: wanted.method,
      headers: wanted.headers as readonly (readonly [string, string])[],
      body: wanted.body,
    };
    const redirectsMax = Math.min(wanted.redirects, limits.fetchRedirectsMax);
    for (let redirects = 0; ; redirects += 1) {
      const answer = await this.#hop(context, request, share, signal);
      // Asked for no redirects, it gets the answer that says so; else it asked for where they lead.
      const next = wanted.redirects === 0 ? null : nextHop(request, answer);
      if (next === null) return encodeResponse(answer.status, answer.headers, answer.body);
      if (redirects >= redirectsMax) {
        throw new FetchFailure("too_many_redirects", `more than ${redirectsMax} redirects`);
      }
      share.remove(answer.body.byteLength);
      request = { ...next, url: parseUrl(next.url) };
    }
  }

  async #hop(
    { deployment, depth, trace }: ErrandContext,
    request: Omit<Hop, "addresses" | "headers" | "owner"> & {
      readonly headers: readonly (readonly [string, string])[];
    },
    share: BodyShare,
    signal: AbortSignal,
  ): Promise<HopAnswer> {
    const { url, body } = request;
    const addresses = await this.#addresses(deployment, url, signal);
    const headers = outboundHeaders(request.headers, {
      host: url.host,
      function: deployment.name,
      depth: depth + 1,
      contentLength: body.byteLength > 0 || /^P/.test(request.method) ? body.byteLength : null,
      trace,
    });
    return await this.#hops.send({ ...request, headers, addresses, owner: deployment.name }, share, signal);
  }

  /** Where a URL's host is, each address allowed; null when the host is an address itself. */
  async #addresses(
    { name, config }: Deployment,
    url: URL,
    signal: AbortSignal,
  ): Promise<readonly LookupAddress[] | null> {
    const allowed = this.#allowedBy(config);
    const host = plainHost(url.hostname);
    const port = Number(url.port || (url.protocol === "https:" ? 443 : 80));
    if (!allowed.allows(host, port)) {
      throw new FetchFailure("host_not_allowed", `add "${host}" to the function's allowedHosts`);
    }
    const isAddress = isIP(host) !== 0;
    const addresses = isAddress ? null : await this.#lookup(name, host, signal);
    for (const address of addresses?.map((found) => found.address) ?? [host]) {
      if (isPublicAddress(address) || allowed.lists(address, port)) continue;
      const where = isAddress ? `${host} is` : `${host} leads to ${address},`;
      throw new FetchFailure(
        "host_not_allowed",
        `${where} not a public address: add "${address}" to the function's allowedHosts`,
      );
    }
    return addresses;
  }

  async #lookup(name: string, host: string, signal: AbortSignal): Promise<readonly LookupAddress[]> {
    const place = await this.#lookups.take(name, signal);
    // A lookup cannot be ended: it keeps its place while it goes on, though nobody may wait for it.
    const lookup = this.#resolve(host).finally(() => place[Symbol.dispose]());
    const addresses = await beforeAbort(lookup, signal);
    if (addresses.length === 0) throw new FetchFailure("unreachable", `${host} has no address`);
    return addresses;
  }

  #allowedBy(config: FunctionConfig): AllowedHosts {
    let allowed = this.#allowed.get(config);
    if (allowed === undefined) {
      allowed = new AllowedHosts(config.allowedHosts);
      this.#allowed.set(config, allowed);
    }
    return allowed;
  }

  #internal(
    context: ErrandContext,
    { method, headers, body, timeoutMs }: FetchMessage,
    url: URL,
    name: string,
  ): Promise<Uint8Array<ArrayBuffer>> {
    if (url.protocol !== "http:" || url.port !== "") {
      throw new FetchFailure("invalid_request", `functions are at http://NAME${internalDomain}/`);
    }
    return this.#parts.internalCalls.call({
      name,
      namespace: namespaceOf(context.deployment.name),
      kind: "internal",
      method,
      url: url.href,
      path: url.pathname,
      query: url.search.slice(1),
      headers: outboundHeaders(headers, {
        host: url.host,
        function: context.deployment.name,
        depth: context.depth + 1,
        contentLength: body.byteLength > 0 ? body.byteLength : null,
        trace: context.trace,
      }),
      body,
      requestId: context.requestId,
      depth: context.depth + 1,
      callers: context.callers,
      timeoutMs: Math.min(timeoutMs || limits.fetchTimeoutMs, limits.fetchTimeoutMs, context.remainingMs()),
      // Its time is the callee's own limit, whose answer says so.
      signal: context.signal,
    });
  }
}

function decode(message: Uint8Array): FetchMessage {
  let wanted: FetchMessage;
  try {
    wanted = decodeFetch(message, limits.responseHeadersMax);
  } catch (error) {
    if (!(error instanceof MessageError)) throw error;
    throw new FetchFailure("invalid_request", error.message, { cause: error });
  }
  const fault = methodFault(wanted.method) ?? headersFault(wanted.headers);
  if (fault !== null) throw new FetchFailure("invalid_request", fault);
  if (wanted.body.byteLength > limits.requestBodyBytesMax) {
    throw new FetchFailure("invalid_request", `the body is over ${limits.requestBodyBytesMax} bytes`);
  }
  return wanted;
}

function headersFault(headers: readonly (readonly [string, string])[]): string | null {
  let bytes = 0;
  for (const [name, value] of headers) {
    bytes += name.length + value.length;
    const fault = headerFault(name, value);
    if (fault !== null) return fault;
  }
  return bytes > limits.responseHeaderBytesMax
    ? `the headers are over ${limits.responseHeaderBytesMax} bytes`
    : null;
}

function parseUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null) throw new FetchFailure("invalid_request", "the URL is none: want http://HOST/PATH");
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new FetchFailure("invalid_request", `want an http or https URL, not ${url.protocol}`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new FetchFailure("invalid_request", "a URL may hold no user name and password");
  }
  url.hash = "";
  return url;
}

/** `work`, or a rejection with the signal's reason when that comes first. */
function beforeAbort<value>(work: Promise<value>, signal: AbortSignal): Promise<value> {
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(signal.reason);
    if (signal.aborted) leave();
    signal.addEventListener("abort", leave, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", leave));
  });
}

type TimeLimit = Disposable & { readonly signal: AbortSignal };

/** Aborts with the call, or when the fetch has taken too long. */
function timeLimit(call: AbortSignal, timeoutMs: number): TimeLimit {
  const controller = new AbortController();
  const end = (): void => controller.abort();
  const timer = setTimeout(end, Math.min(timeoutMs || Number.POSITIVE_INFINITY, limits.fetchTimeoutMs));
  if (call.aborted) end();
  else call.addEventListener("abort", end);
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      call.removeEventListener("abort", end);
    },
  };
}

/** What to tell the guest; rethrows what is no business of it. */
function failureOf(error: unknown, signal: AbortSignal, call: AbortSignal): FetchFailure {
  if (error instanceof FetchFailure) return error;
  if (call.aborted) throw error;
  if (signal.aborted) {
    return new FetchFailure("timeout", "no whole answer came in time", { cause: error });
  }
  if (error instanceof HostError) {
    const code = error.code === "overloaded" ? "overloaded" : "answer_too_large";
    return new FetchFailure(code, error.message, { cause: error });
  }
  const { code } = error as NodeJS.ErrnoException;
  if (typeof code !== "string") throw error;
  return new FetchFailure("unreachable", `the connection failed (${code})`, { cause: error });
}

// Header rules of RFC 9110 that hold for both sides of a call: which fields concern one hop only,
// and what a field name and value may be.

import { headerIn, type Trace } from "../trace-context.ts";

const hopByHop = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Framing fields that the host computes itself; a guest's are dropped. */
const framing = new Set(["content-length", "date"]);

/** Fields by which the host itself speaks of the call; a guest's are dropped. */
const own = new Set(["server-timing", "x-mayfly-request-id", "x-mayfly-version", "x-mayfly-cpu-ms"]);

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** A field value as a byte string: visible ASCII, space, tab and obs-text (section 5.5). */
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/;

/** The lower-case names that one `Connection` field value lists (section 7.6.1). */
function listed(connection: string): string[] {
  return connection.split(",").map((name) => name.trim().toLowerCase());
}

/** Fields of a request that the host writes itself; what a guest says in them is dropped. */
const ownOfRequests = /^(host|content-length|date|expect|x-mayfly-.*)$/;
/** Methods that make no sense through a client, or give away headers (Fetch standard, forbidden methods). */
const forbiddenMethods = new Set(["CONNECT", "TRACE", "TRACK"]);

/** Why a guest's method cannot be sent, or null. */
export function methodFault(method: string): string | null {
  if (!token.test(method)) return "the method is no token";
  return forbiddenMethods.has(method.toUpperCase()) ? `the method ${method} may not be sent` : null;
}

/** By which a call that comes back over HTTP is known: from how many calls of functions it stems. */
const depthHeader = "x-mayfly-depth";

/** Which function asks. */
const functionHeader = "x-mayfly-function";

/** What only the host says to a function: of calls between functions, of events, of asynchronous calls, of routes. */
const hostSays = new Set([
  functionHeader,
  "x-mayfly-event-attempt",
  "x-mayfly-invocation-id",
  "x-mayfly-attempt",
  "x-mayfly-route",
  "x-mayfly-route-params",
]);

/** How many calls of functions led to a request; anybody may claim to be deep, and gains nothing. */
export function depthOf(header: string | readonly string[] | undefined): number {
  return typeof header === "string" && /^\d{1,3}$/.test(header) ? Number(header) : 0;
}

/** As `depthOf`, of a request to the control plane. */
export function sentDepth(context: { readonly req: { header(name: string): string | undefined } }): number {
  return depthOf(context.req.header("x-mayfly-depth"));
}

/**
 * A guest's headers for a request to somebody else, without hop-by-hop and framing fields; names and
 * values alternate. `x-mayfly-function` says who asks.
 */
export function outboundHeaders(
  headers: readonly (readonly [string, string])[],
  own: {
    readonly host: string;
    readonly function: string;
    readonly depth: number;
    readonly contentLength: number | null;
    /** What the guest says of a trace itself stays. */
    readonly trace: Trace | null;
  },
): string[] {
  const dropped = new Set(
    headers.filter(([name]) => name.toLowerCase() === "connection").flatMap(([, value]) => listed(value)),
  );
  const kept = headers.filter(([mixed]) => {
    const name = mixed.toLowerCase();
    return !hopByHop.has(name) && !ownOfRequests.test(name) && !dropped.has(name);
  });
  const sent = [
    "host",
    own.host,
    ...kept.flat(),
    functionHeader,
    own.function,
    depthHeader,
    String(own.depth),
  ];
  if (own.contentLength !== null) sent.push("content-length", String(own.contentLength));
  if (own.trace !== null && headerIn(sent, "traceparent") === undefined) {
    sent.push("traceparent", own.trace.traceparent);
    const { tracestate } = own.trace;
    if (tracestate !== "" && headerIn(sent, "tracestate") === undefined) sent.push("tracestate", tracestate);
  }
  return sent;
}

/** Which brings a token, where there is one. */
export const tokenHeader = "authorization";

/**
 * Node's `rawHeaders` without what concerns this hop only; names in lower case. Without what only the
 * host says too: a function may believe that.
 */
export function requestHeaders(raw: readonly string[]): string[] {
  const headers: string[] = [];
  let dropped: Set<string> | null = null;
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = (raw[index] ?? "").toLowerCase();
    const value = raw[index + 1] ?? "";
    if (name === "connection" && value.length > 0 && !/^(keep-alive|close)$/i.test(value)) {
      dropped ??= new Set();
      for (const other of listed(value)) dropped.add(other);
    }
    if (!hopByHop.has(name) && !hostSays.has(name)) headers.push(name, value);
  }
  return dropped === null ? headers : without(headers, dropped);
}

/** What becomes of a header of a guest's answer, as its name tells. */
type NameUse = "kept" | "dropped" | "connection" | "invalid";

/** Of the names met so far: most answers have the same few. */
const nameUses = new Map<string, NameUse>();
const nameUsesMax = 1_000;
const nameLengthMax = 64;

function nameUse(name: string): NameUse {
  const known = nameUses.get(name);
  if (known !== undefined) return known;
  const use = readNameUse(name);
  if (name.length > nameLengthMax) return use;
  if (nameUses.size >= nameUsesMax) nameUses.clear();
  nameUses.set(name, use);
  return use;
}

function readNameUse(mixed: string): NameUse {
  const name = mixed.toLowerCase();
  if (!token.test(name)) return "invalid";
  if (name === "connection") return "connection";
  return hopByHop.has(name) || framing.has(name) || own.has(name) ? "dropped" : "kept";
}

/** Why a guest's header cannot be sent, or null. */
export function headerFault(name: string, value: string): string | null {
  if (nameUse(name) === "invalid") return "a header name is no token";
  if (!fieldValue.test(value)) return `the value of ${name} holds a character that no header may`;
  return null;
}

/** A guest's headers without hop-by-hop, framing and the host's own fields; names and values alternate. */
export function responseHeaders(headers: readonly (readonly [string, string])[]): string[] {
  const kept: string[] = [];
  let dropped: Set<string> | null = null;
  for (const [name, value] of headers) {
    const use = nameUse(name);
    if (use === "kept") kept.push(name, value);
    else if (use === "connection") dropped = new Set([...(dropped ?? []), ...listed(value)]);
  }
  return dropped === null ? kept : without(kept, dropped);
}

/** Without a header that was for the host; `dropped` in lower case. */
export function withoutHeader(headers: readonly string[], dropped: string): string[] {
  return without(headers, new Set([dropped]));
}

/** Names and values alternate in both; `dropped` in lower case. */
function without(headers: readonly string[], dropped: ReadonlySet<string>): string[] {
  const kept: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] ?? "";
    if (!dropped.has(name.toLowerCase())) kept.push(name, headers[index + 1] ?? "");
  }
  return kept;
}

// One HTTP request, as `client.ts` and `invoke` send them. On node:http rather than fetch, which
// would resolve `%2e%2e` in a path, decompress bodies, follow redirects, refuse some ports and end
// a log stream that is quiet for five minutes. It never reads a body and never retries.

import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { Readable } from "node:stream";
import { CommandFailure, messageOf, systemCodeOf } from "./failure.ts";

/** Bytes, or as many of a stream as it says. */
export type RequestBody = Uint8Array | { readonly stream: Readable; readonly length: number };

export type HttpRequest = {
  /** Scheme, host, port and, behind a proxy, a path to prefix. */
  readonly base: URL;
  readonly method: string;
  /** Path and query exactly as they go on the wire. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: RequestBody | undefined;
  readonly signal?: AbortSignal | undefined;
};

const connectTimeoutMs = 10_000;

/** Resolves when the answer's head is there. Throws CommandFailure, or the signal's reason. */
export function sendRequest(request: HttpRequest): Promise<IncomingMessage> {
  const { base, method, target, headers, body, signal } = request;
  const send = base.protocol === "https:" ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    let connected = false;
    const outgoing = send({
      protocol: base.protocol,
      hostname: base.hostname.replace(/^\[(.*)\]$/, "$1"),
      port: base.port,
      method,
      path: base.pathname.replace(/\/+$/, "") + target,
      headers: requestHeaders(headers, body),
      agent: false,
      ...(signal === undefined ? {} : { signal }),
    });
    const timer = setTimeout(() => {
      outgoing.destroy(Object.assign(new Error("no connection in time"), { code: "ETIMEDOUT" }));
    }, connectTimeoutMs);
    outgoing.on("socket", (socket) => {
      socket.once("connect", () => {
        connected = true;
        clearTimeout(timer);
      });
    });
    outgoing.once("close", () => clearTimeout(timer));
    outgoing.once("response", resolve);
    // Stays on after the answer: a host that answers before it has read the whole upload resets the
    // connection, which is no news then.
    outgoing.on("error", (error) => {
      reject(signal?.aborted === true ? signal.reason : requestFailure(base, connected, error));
    });
    if (body === undefined || body instanceof Uint8Array) outgoing.end(body);
    else {
      body.stream.once("error", (error) => outgoing.destroy(error));
      outgoing.once("close", () => body.stream.destroy());
      body.stream.pipe(outgoing);
    }
  });
}

function requestHeaders(headers: HttpRequest["headers"], body: RequestBody | undefined) {
  const copy: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers))
    copy[name] = typeof value === "string" ? value : [...value];
  if (body !== undefined) copy["content-length"] = String(body.length);
  return copy;
}

const reasons = new Map([
  ["ECONNREFUSED", "the connection was refused"],
  ["ENOTFOUND", "its name is unknown"],
  ["EAI_AGAIN", "its name could not be looked up"],
  ["EHOSTUNREACH", "there is no route to it"],
  ["ENETUNREACH", "there is no route to it"],
  ["ETIMEDOUT", "it did not answer in time"],
]);

function requestFailure(base: URL, connected: boolean, error: Error): CommandFailure {
  const code = systemCodeOf(error);
  const reason = reasons.get(code ?? "") ?? messageOf(error);
  if (!connected) {
    return new CommandFailure(
      "host_unreachable",
      `Cannot reach the host at ${displayUrl(base)}: ${reason}; start one with "mayfly serve"`,
      { details: { url: displayUrl(base) }, cause: error },
    );
  }
  const what = code?.startsWith("HPE_") ? "answered something that is not HTTP" : "closed the connection";
  return new CommandFailure("connection_lost", `The host at ${displayUrl(base)} ${what}: ${reason}`, {
    details: { url: displayUrl(base) },
    cause: error,
  });
}

/** The URL as the user would type it. */
export function displayUrl(base: URL): string {
  return base.href.replace(/\/+$/, "");
}

// Reads a request body whole, within its bounds, before any thread is held for it (docs/threat-model.md B9, B10).

import type { IncomingMessage } from "node:http";
import { type ErrorCode, HostError } from "../errors.ts";
import { limits } from "../limits.ts";

export type BodyBounds = {
  readonly bytesMax: number;
  readonly idleTimeoutMs: number;
  /** The code for a body that is too large. */
  readonly tooLarge: Extract<ErrorCode, "body_too_large" | "module_too_large">;
};

export const invokeBody: BodyBounds = {
  bytesMax: limits.requestBodyBytesMax,
  idleTimeoutMs: limits.bodyIdleTimeoutMs,
  tooLarge: "body_too_large",
};

export const uploadBody: BodyBounds = {
  bytesMax: limits.moduleBytesMax,
  idleTimeoutMs: limits.bodyIdleTimeoutMs,
  tooLarge: "module_too_large",
};

export const jsonBody: BodyBounds = {
  bytesMax: limits.configBodyBytesMax,
  idleTimeoutMs: limits.bodyIdleTimeoutMs,
  tooLarge: "body_too_large",
};

/** The client went away before its request was complete: nobody is left to answer. */
export class ClientGone extends Error {}

const none = new Uint8Array(0);

/** Whether the message has a body at all (RFC 9112, section 6.3). */
export function hasBody(request: IncomingMessage): boolean {
  const { headers } = request;
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

/**
 * Whether part of its body is still to come or to be read. `complete` alone will not do: it is also
 * false while a request without a body is being handed over, and such a connection is sound.
 */
export function isUnread(request: IncomingMessage): boolean {
  return !request.complete && hasBody(request);
}

/** Throws when the announced length is over the bound, before a byte is read. */
export function assertLengthFits(request: IncomingMessage, bounds: BodyBounds): void {
  const length = Number(request.headers["content-length"] ?? 0);
  if (length > bounds.bytesMax) throw tooLarge(bounds, `${length} bytes are announced`);
}

/** The whole body. Rejects with 413, 408, or ClientGone. */
export function readBody(request: IncomingMessage, bounds: BodyBounds): Promise<Uint8Array> {
  assertLengthFits(request, bounds);
  if (!hasBody(request)) return Promise.resolve(none);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const end = (error: Error | null): void => {
      clearTimeout(timer);
      request.off("data", take).off("end", done).off("close", gone).off("error", gone);
      if (error === null)
        return resolve(chunks.length === 1 ? (chunks[0] ?? none) : Buffer.concat(chunks, bytes));
      request.resume();
      reject(error);
    };
    const take = (chunk: Buffer): void => {
      timer.refresh();
      bytes += chunk.byteLength;
      if (bytes > bounds.bytesMax) return end(tooLarge(bounds, `more than ${bounds.bytesMax} bytes came`));
      chunks.push(chunk);
    };
    const done = (): void => end(null);
    const gone = (): void => end(new ClientGone("The client went away inside its request"));
    const timer = setTimeout(() => {
      end(new HostError("request_timeout", `No byte of the body came for ${bounds.idleTimeoutMs} ms`));
    }, bounds.idleTimeoutMs);
    request.on("data", take).on("end", done).on("close", gone).on("error", gone);
  });
}

/** The 413 of a bound. */
export function tooLarge(bounds: BodyBounds, found: string): HostError {
  const what = bounds.tooLarge === "module_too_large" ? "module" : "request body";
  return new HostError(bounds.tooLarge, `The ${what} is too large: ${found}, limit is ${bounds.bytesMax}`);
}

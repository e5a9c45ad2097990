// Reads the body of Node's request whole, within its bounds, before any thread is held for it
// (docs/threat-model.md B9, B10).

import type { IncomingMessage } from "node:http";
import type { BodyShare } from "./body-budget.ts";
import { type BodyBounds, BodyBytes, stoodStill } from "./body-bytes.ts";

/** The client went away before its request was complete: nobody is left to answer. */
export class ClientGone extends Error {}

/** When the whole body is to have come, and what is said when it has not. */
export type BodyEnd = { readonly afterMs: number; readonly error: () => Error };

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

/**
 * The whole body, counted in `share` as it comes. Rejects with 413 (before a byte is read, when the
 * announced length says so), with 408, with 503, with the error of `end` once its time is over, or with
 * ClientGone.
 */
export async function readBody(
  request: IncomingMessage,
  bounds: BodyBounds,
  share?: BodyShare,
  end?: BodyEnd,
): Promise<Uint8Array> {
  const body = new BodyBytes(bounds, request.headers["content-length"], share);
  if (!hasBody(request)) return body.whole();
  return new Promise((resolve, reject) => {
    const settle = (error: unknown): void => {
      clearTimeout(timer);
      clearTimeout(endTimer);
      request.off("data", take).off("end", done).off("close", gone).off("error", gone);
      if (error === null) return resolve(body.whole());
      request.resume();
      reject(error);
    };
    const take = (chunk: Buffer): void => {
      timer.refresh();
      try {
        body.add(chunk);
      } catch (error) {
        settle(error);
      }
    };
    const done = (): void => settle(null);
    const gone = (): void => settle(new ClientGone("The client went away inside its request"));
    const timer = setTimeout(() => settle(stoodStill(bounds)), bounds.idleTimeoutMs);
    const endTimer = end && setTimeout(() => settle(end.error()), end.afterMs);
    request.on("data", take).on("end", done).on("close", gone).on("error", gone);
  });
}

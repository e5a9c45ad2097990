// Reads the body of a fetch-style Request within its bounds, whole or as it comes: what the control plane gets.

import type { IncomingMessage } from "node:http";
import { HostError } from "../errors.ts";
import type { BodyShare } from "./body-budget.ts";
import { type BodyBounds, BodyBytes, jsonBody, stoodStill } from "./body-bytes.ts";
import { ClientGone } from "./request-body.ts";

/** The whole body, counted in `share` as it comes; rejects as `readBody` does. */
export async function readStream(
  request: Request,
  bounds: BodyBounds,
  share?: BodyShare,
): Promise<Uint8Array> {
  const body = new BodyBytes(bounds, request.headers.get("content-length"), share);
  for await (const chunk of bodyChunks(request, bounds)) body.add(chunk);
  return body.whole();
}

/**
 * The body as it comes, each chunk in memory of its own; throws `request_timeout` when it stands still,
 * ClientGone when it is cut short. Where there is Node's request its chunks are taken from there: a stream
 * of the fetch standard copies each.
 */
export async function* bodyChunks(
  request: Request,
  { idleTimeoutMs }: Pick<BodyBounds, "idleTimeoutMs">,
  incoming?: IncomingMessage,
): AsyncGenerator<Uint8Array, void, void> {
  // What is not read of it is the adapter's to drain, or to cut.
  const chunks = incoming?.iterator({ destroyOnReturn: false }) ?? request.body?.values();
  if (chunks === undefined) return;
  try {
    for (;;) {
      const { done, value } = await inTime(chunks.next().catch(clientGone), idleTimeoutMs);
      if (done) return;
      yield value;
    }
  } finally {
    // Not waited for: it comes when a read that stands still has ended.
    void chunks.return?.(undefined)?.catch(() => {});
  }
}

/** Only while the client is waited for: what is done with the bytes takes the time that it takes. */
async function inTime<value>(read: Promise<value>, idleTimeoutMs: number): Promise<value> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(stoodStill({ idleTimeoutMs })), idleTimeoutMs);
  try {
    return await Promise.race([read, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function clientGone(cause: unknown): never {
  throw new ClientGone("The client went away inside its request", { cause });
}

/** A body of JSON; throws with `code` when it is none. */
export async function readJson(
  request: Request,
  code: "bad_request" | "invalid_config" | "invalid_alias" | "invalid_route" | "invalid_trigger",
): Promise<unknown> {
  const bytes = await readStream(request, jsonBody);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new HostError(code, "Cannot read the body: it is not JSON in UTF-8");
  }
}

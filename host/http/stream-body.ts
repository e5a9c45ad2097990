// Reads the body of a fetch-style Request within its bounds, whole or as it comes: what the control plane gets.

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

/** The body as it comes; throws `request_timeout` when it stands still, ClientGone when it is cut short. */
export async function* bodyChunks(
  request: Request,
  bounds: Pick<BodyBounds, "idleTimeoutMs" | "what">,
): AsyncGenerator<Uint8Array, void, void> {
  if (request.body === null) return;
  const reader = request.body.getReader();
  let idle = false;
  const cancel = (): void => void reader.cancel().catch(() => {});
  try {
    for (;;) {
      // Only while the client is waited for: what is done with the bytes takes the time that it takes.
      const timer = setTimeout(() => {
        idle = true;
        cancel();
      }, bounds.idleTimeoutMs);
      const { done, value } = await reader
        .read()
        .catch(clientGone)
        .finally(() => clearTimeout(timer));
      if (idle) throw stoodStill(bounds);
      if (done) return;
      yield value;
    }
  } finally {
    // Nobody reads on: not the rest of what is too large, either.
    cancel();
  }
}

function clientGone(cause: unknown): never {
  throw new ClientGone("The client went away inside its request", { cause });
}

/** A body of JSON; throws with `code` when it is none. */
export async function readJson(
  request: Request,
  code: "bad_request" | "invalid_config" | "invalid_trigger",
): Promise<unknown> {
  const bytes = await readStream(request, jsonBody);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new HostError(code, "Cannot read the body: it is not JSON in UTF-8");
  }
}

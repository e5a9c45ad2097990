// Reads the body of a fetch-style Request whole, within its bounds: what the control plane gets.

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
  if (request.body === null) return body.whole();
  const reader = request.body.getReader();
  let idle = false;
  const timer = setTimeout(() => {
    idle = true;
    void reader.cancel().catch(() => {});
  }, bounds.idleTimeoutMs);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (idle) throw stoodStill(bounds);
      if (done) return body.whole();
      timer.refresh();
      body.add(value);
    }
  } catch (error) {
    void reader.cancel().catch(() => {});
    if (error instanceof HostError) throw error;
    throw new ClientGone("The client went away inside its request", { cause: error });
  } finally {
    clearTimeout(timer);
  }
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

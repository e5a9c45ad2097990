// Reads the body of a fetch-style Request whole, within its bounds: what the control plane gets.

import { HostError } from "../errors.ts";
import { type BodyBounds, ClientGone, tooLarge } from "./request-body.ts";

/** The whole body; rejects with 413 as soon as the bound is passed, with 408 when it stands still. */
export async function readStream(request: Request, bounds: BodyBounds): Promise<Uint8Array> {
  const announced = Number(request.headers.get("content-length") ?? 0);
  if (announced > bounds.bytesMax) throw tooLarge(bounds, `${announced} bytes are announced`);
  if (request.body === null) return new Uint8Array(0);
  const reader = request.body.getReader();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  let idle = false;
  const timer = setTimeout(() => {
    idle = true;
    void reader.cancel().catch(() => {});
  }, bounds.idleTimeoutMs);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (idle)
        throw new HostError("request_timeout", `No byte of the body came for ${bounds.idleTimeoutMs} ms`);
      if (done) return Buffer.concat(chunks, bytes);
      timer.refresh();
      bytes += value.byteLength;
      if (bytes > bounds.bytesMax) throw tooLarge(bounds, `more than ${bounds.bytesMax} bytes came`);
      chunks.push(value);
    }
  } catch (error) {
    void reader.cancel().catch(() => {});
    if (error instanceof HostError) throw error;
    throw new ClientGone("The client went away inside its request", { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

// The body of a request as its guest reads it: none of it is taken from the client before the guest asks,
// and no more than the guest is behind by (docs/threat-model.md B9, B10).

import type { IncomingMessage } from "node:http";
import { CallAbandoned, HostError } from "../errors.ts";
import type { BodyPost } from "../invoke/call-streams.ts";
import type { BodySource } from "../invoke/streamed-call.ts";
import { limits } from "../limits.ts";
import type { BodyShare } from "./body-budget.ts";
import { stoodStill } from "./body-bytes.ts";

/** Shorter bodies are read before their calls begin: they cost no thread anything while they come. */
export const streamedFromBytes = 65_536;

/** Whether a body is such that it is given to its guest as it comes, where that can take it so. */
export function isLong({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"]) > streamedFromBytes;
}

export type StreamedBodyBounds = { readonly bytesMax: number; readonly idleTimeoutMs: number };

export const streamedBody: StreamedBodyBounds = {
  bytesMax: limits.streamedRequestBytesMax,
  idleTimeoutMs: limits.bodyIdleTimeoutMs,
};

export class StreamedBody implements BodySource, Disposable {
  readonly #request: IncomingMessage;
  readonly #share: BodyShare;
  readonly #bounds: StreamedBodyBounds;
  #release: () => void = () => {};
  /** Bytes that have come. */
  bytes = 0;

  /** What is under way is counted in `share`. Throws `body_too_large` when the announced length says so. */
  constructor(request: IncomingMessage, share: BodyShare, bounds: StreamedBodyBounds = streamedBody) {
    const announced = Number(request.headers["content-length"] ?? 0);
    if (announced > bounds.bytesMax) throw tooLarge(bounds, `${announced} bytes are announced`);
    this.#request = request;
    this.#share = share;
    this.#bounds = bounds;
  }

  pull(into: BodyPost, fail: (error: HostError | CallAbandoned) => void): void {
    const request = this.#request;
    const bounds = this.#bounds;
    const failed = (error: HostError | CallAbandoned): void => {
      this[Symbol.dispose]();
      fail(error);
    };
    const timer = setTimeout(() => {
      // A guest that is behind is no fault of the client's.
      if (request.isPaused()) timer.refresh();
      else failed(stoodStill(bounds));
    }, bounds.idleTimeoutMs);
    const take = (chunk: Buffer): void => {
      timer.refresh();
      this.bytes += chunk.byteLength;
      try {
        if (this.bytes > bounds.bytesMax) throw tooLarge(bounds, `more than ${bounds.bytesMax} bytes came`);
        this.#share.add(chunk.byteLength);
      } catch (error) {
        if (!(error instanceof HostError)) throw error;
        return failed(error);
      }
      into.write(chunk);
      giveBack(chunk);
      if (into.isFull) request.pause();
    };
    const done = (): void => {
      this[Symbol.dispose]();
      into.end();
    };
    const gone = (): void => failed(new CallAbandoned("The client went away inside its request"));
    this.#release = () => {
      clearTimeout(timer);
      request.off("data", take).off("end", done).off("close", gone).off("error", gone);
      // What is left of it is nobody's, and would keep the connection's next request from being read.
      request.resume();
    };
    into.onRead((read) => {
      this.#share.remove(read);
      if (!request.isPaused() || !into.hasRoom) return;
      timer.refresh();
      request.resume();
    });
    request.on("data", take).on("end", done).on("close", gone).on("error", gone);
  }

  /** The call is over. */
  [Symbol.dispose](): void {
    this.#release();
    this.#release = () => {};
  }
}

/** Frees the memory of a chunk that has been copied: V8 would let 64 MB of it come together before it looks. */
function giveBack({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}

function tooLarge({ bytesMax }: StreamedBodyBounds, found: string): HostError {
  return new HostError("body_too_large", `The request body is too large: ${found}, limit is ${bytesMax}`);
}

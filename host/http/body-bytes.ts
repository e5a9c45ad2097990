// The body of one request in memory: its bounds, and its bytes as they come. Both readers fill it,
// `request-body.ts` from Node's request and `stream-body.ts` from a fetch-style one.

import { type ErrorCode, HostError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { BodyShare } from "./body-budget.ts";

export type BodyBounds = {
  readonly bytesMax: number;
  readonly idleTimeoutMs: number;
  readonly what: string;
  /** The code for a body that is too large. */
  readonly tooLarge: Extract<
    ErrorCode,
    "body_too_large" | "module_too_large" | "files_too_large" | "value_too_large" | "secret_too_large"
  >;
};

export const invokeBody: BodyBounds = {
  what: "request body",
  bytesMax: limits.requestBodyBytesMax,
  idleTimeoutMs: limits.bodyIdleTimeoutMs,
  tooLarge: "body_too_large",
};

export const uploadBody: BodyBounds = {
  what: "module",
  bytesMax: limits.moduleBytesMax,
  idleTimeoutMs: limits.bodyIdleTimeoutMs,
  tooLarge: "module_too_large",
};

/** An archive, which may be packed badly. */
export const archiveBody: BodyBounds = {
  what: "archive",
  bytesMax: limits.filesBytesMax + limits.filesMax * 2_048,
  idleTimeoutMs: limits.bodyIdleTimeoutMs,
  tooLarge: "files_too_large",
};

export const valueBody: BodyBounds = {
  what: "value",
  bytesMax: limits.kvValueBytesMax,
  idleTimeoutMs: limits.bodyIdleTimeoutMs,
  tooLarge: "value_too_large",
};

export const secretBody: BodyBounds = {
  what: "secret",
  bytesMax: limits.secretBytesMax,
  idleTimeoutMs: limits.bodyIdleTimeoutMs,
  tooLarge: "secret_too_large",
};

export const eventsBody: BodyBounds = {
  what: "request body",
  bytesMax: limits.requestBodyBytesMax,
  idleTimeoutMs: limits.bodyIdleTimeoutMs,
  tooLarge: "body_too_large",
};

export const jsonBody: BodyBounds = {
  what: "request body",
  bytesMax: limits.configBodyBytesMax,
  idleTimeoutMs: limits.bodyIdleTimeoutMs,
  tooLarge: "body_too_large",
};

const none = new Uint8Array(0);

/**
 * Gathers a body in one buffer. Chunks are not kept: each is an object of its own, and a body sent in
 * chunks of one byte would take a hundred times the memory that its bounds allow.
 */
export class BodyBytes {
  #buffer: Uint8Array = none;
  #length = 0;
  readonly #bounds: BodyBounds;
  readonly #share: BodyShare | undefined;
  readonly #lengthMax: number;

  /** `announced` is the value of Content-Length, if any; throws when that is over the bound. */
  constructor(bounds: BodyBounds, announced: string | null | undefined, share?: BodyShare) {
    const length = Number(announced ?? 0) || bounds.bytesMax;
    if (length > bounds.bytesMax) throw tooLarge(bounds, `${length} bytes are announced`);
    this.#bounds = bounds;
    this.#share = share;
    this.#lengthMax = length;
  }

  /** Throws when the body is now over its bound, or there is no room for it. */
  add(chunk: Uint8Array): void {
    const length = this.#length + chunk.byteLength;
    if (length > this.#bounds.bytesMax) {
      throw tooLarge(this.#bounds, `more than ${this.#bounds.bytesMax} bytes came`);
    }
    this.#share?.add(chunk.byteLength);
    // Most bodies come in one chunk, and are not copied.
    if (this.#length === 0) this.#buffer = chunk;
    else {
      if (length > this.#buffer.byteLength) this.#grow(length);
      this.#buffer.set(chunk, this.#length);
    }
    this.#length = length;
  }

  whole(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Twice the size, so that each byte is copied about once; never more than the body can come to. */
  #grow(length: number): void {
    const size = Math.max(length, Math.min(2 * this.#buffer.byteLength, this.#lengthMax));
    const larger = Buffer.allocUnsafeSlow(size);
    larger.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = larger;
  }
}

function tooLarge(bounds: BodyBounds, found: string): HostError {
  return new HostError(
    bounds.tooLarge,
    `The ${bounds.what} is too large: ${found}, limit is ${bounds.bytesMax}`,
  );
}

/** The 408 of a body of which nothing came for too long. */
export function stoodStill(bounds: Pick<BodyBounds, "idleTimeoutMs">): HostError {
  return new HostError("request_timeout", `No byte of the body came for ${bounds.idleTimeoutMs} ms`);
}

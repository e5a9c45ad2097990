// A request of wasi:http that the guest sends, and the response that it waits for. It goes the way of every
// guest's fetch, through the main thread and the same rules, once its body is whole.

import type { ErrandReply } from "../../../invocation.ts";
import { limits } from "../../../limits.ts";
import { decodeResponse, encodeFetch } from "../../../messages.ts";
import type { ComponentCall } from "./component-call.ts";
import { bad, good, type Result } from "./compound-types.ts";
import { Fields } from "./fields.ts";
import { BodyBuffer, IncomingBody, OutgoingBody, sourceOf } from "./http-bodies.ts";
import {
  type ErrorCode,
  errorCodeOf,
  type Method,
  methodName,
  type Scheme,
  schemeName,
} from "./http-values.ts";
import { type Keep, Kept } from "./kept.ts";
import { Pollable } from "./streams.ts";

export class OutgoingRequest {
  readonly ofCall = true;
  method: Method = { tag: "get" };
  pathWithQuery: string | undefined;
  scheme: Scheme | undefined;
  authority: string | undefined;
  readonly fields: Fields;
  readonly #content: BodyBuffer;
  /** Of what it is sent by. */
  readonly #kept: Kept;
  #body: OutgoingBody | null = null;
  #onWhole: (() => void) | null = null;

  constructor(keep: Keep, fields: Fields) {
    this.fields = fields;
    this.#kept = new Kept(keep);
    this.#content = new BodyBuffer(keep, limits.requestBodyBytesMax, () => this.#onWhole?.());
  }

  /** Counts method, scheme, authority and path, one of which the guest has set. */
  counted(): void {
    const texts = [this.method.value, this.scheme?.value, this.authority, this.pathWithQuery];
    // Two bytes for each character at most.
    this.#kept.set(texts.reduce((sum, text) => sum + 2 * (text?.length ?? 0), 0));
  }

  /** Nobody sends it, or it has been made a message. */
  dropped(): void {
    this.fields.dropped();
    this.#content.release();
    this.#kept.release();
  }

  /** Null when it has been taken. */
  body(): OutgoingBody | null {
    if (this.#body !== null) return null;
    this.#body = new OutgoingBody(this.#content);
    return this.#body;
  }

  /** Calls `then` when its body is whole, which it is if nobody writes it. */
  whenWhole(then: () => void): void {
    if (this.#body === null || this.#content.isEnded) then();
    else this.#onWhole = then;
  }

  get url(): string {
    const scheme = this.scheme === undefined ? "https" : schemeName(this.scheme);
    return `${scheme}://${this.authority ?? ""}${this.pathWithQuery ?? "/"}`;
  }

  message(timeoutMs: number): Uint8Array<ArrayBuffer> {
    return encodeFetch({
      method: methodName(this.method),
      url: this.url,
      // wasi:http follows none: the redirect is the answer.
      redirects: 0,
      timeoutMs,
      headers: this.fields.entries,
      body: this.#content.bytes,
    });
  }
}

/** Times that a guest gives its request, ns. */
export class RequestOptions {
  connectTimeout: bigint | undefined;
  firstByteTimeout: bigint | undefined;
  betweenBytesTimeout: bigint | undefined;

  /** Of the whole fetch, ms: one that is shorter than each part would need may come too soon, never too late. */
  get timeoutMs(): number {
    const given = [this.connectTimeout, this.firstByteTimeout].filter((time) => time !== undefined);
    if (given.length === 0) return 0;
    const ns = given.reduce((sum, time) => sum + time, 0n);
    return Math.max(1, Math.min(limits.fetchTimeoutMs, Number(ns / 1_000_000n)));
  }
}

export class IncomingResponse {
  readonly ofCall = true;
  readonly status: number;
  readonly #headers: readonly (readonly [string, string])[];
  readonly #kept: Kept;
  #body: Uint8Array | null;

  /** Its bytes are counted in `kept` until nobody can read them any more. */
  constructor(kept: Kept, status: number, headers: readonly (readonly [string, string])[], body: Uint8Array) {
    this.#kept = kept;
    this.status = status;
    this.#headers = headers;
    this.#body = body;
  }

  headers(keep: Keep): Fields {
    return new Fields(keep, this.#headers, true);
  }

  consume(): IncomingBody | null {
    const body = this.#body;
    this.#body = null;
    return body && new IncomingBody(sourceOf(body), () => this.#kept.release());
  }

  dropped(): void {
    if (this.#body !== null) this.#kept.release();
    this.#body = null;
  }
}

type Fetched = Result<IncomingResponse, ErrorCode>;

export class FutureResponse {
  readonly ofCall = true;
  readonly #call: ComponentCall;
  readonly #request: OutgoingRequest;
  /** Who waits for it now. */
  readonly #waiting = new Set<() => void>();
  #fetched: Fetched | null = null;
  #isTaken = false;
  #isDropped = false;

  /** Throws what ends a guest that may not wait: nothing of it is caught on the way. */
  constructor(call: ComponentCall, request: OutgoingRequest, timeoutMs: number) {
    this.#call = call;
    this.#request = request;
    request.whenWhole(() => this.#send(timeoutMs));
  }

  subscribe(): Pollable {
    return new Pollable(
      () => this.#fetched !== null,
      () => {
        const { promise: done, resolve } = Promise.withResolvers<void>();
        this.#waiting.add(resolve);
        return { done, cancel: () => void this.#waiting.delete(resolve) };
      },
    );
  }

  /** Undefined as long as there is none; a fault when it has been taken. */
  get(): Result<Fetched, undefined> | undefined {
    if (this.#fetched === null) return undefined;
    if (this.#isTaken) return bad(undefined);
    this.#isTaken = true;
    return good(this.#fetched);
  }

  dropped(): void {
    this.#isDropped = true;
    this.#request.dropped();
    if (!this.#isTaken && this.#fetched?.tag === "ok") this.#fetched.value.dropped();
  }

  #send(timeoutMs: number): void {
    const message = this.#request.message(timeoutMs);
    this.#request.dropped();
    // It may lie in a queue.
    const kept = new Kept(this.#call.keep);
    kept.add(message.byteLength);
    this.#call.errand("fetch", message).then(
      (reply) => {
        kept.release();
        if (!this.#isDropped) this.#settle(this.#answered(reply));
      },
      () => this.#settle(bad({ tag: "internal-error", value: undefined })),
    );
  }

  #settle(fetched: Fetched): void {
    this.#fetched = fetched;
    for (const wake of this.#waiting) wake();
  }

  #answered({ failed, message }: ErrandReply): Fetched {
    if (failed) return bad(errorCodeOf(Buffer.from(message).toString()));
    const kept = new Kept(this.#call.keep);
    if (!kept.fits(message.byteLength)) return bad({ tag: "connection-limit-reached" });
    const { status, headers, body } = decodeResponse(message, limits.listItemsMax);
    return good(new IncomingResponse(kept, status, headers, body));
  }
}

// A request of wasi:http that the guest sends, and the response that it waits for. It goes the way of every
// guest's fetch, through the main thread and the same rules, once its body is whole.

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
import { Pollable } from "./streams.ts";

export class OutgoingRequest {
  readonly ofCall = true;
  method: Method = { tag: "get" };
  pathWithQuery: string | undefined;
  scheme: Scheme | undefined;
  authority: string | undefined;
  readonly fields: Fields;
  readonly #content: BodyBuffer;
  #body: OutgoingBody | null = null;
  #onWhole: (() => void) | null = null;

  constructor(fields: Fields) {
    this.fields = fields;
    this.#content = new BodyBuffer(limits.requestBodyBytesMax, () => this.#onWhole?.());
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
      body: this.#content.take(),
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
  #body: Uint8Array | null;

  constructor(status: number, headers: readonly (readonly [string, string])[], body: Uint8Array) {
    this.status = status;
    this.#headers = headers;
    this.#body = body;
  }

  headers(): Fields {
    return new Fields(this.#headers, true);
  }

  consume(): IncomingBody | null {
    const body = this.#body;
    this.#body = null;
    return body && new IncomingBody(sourceOf(body));
  }
}

type Fetched = Result<IncomingResponse, ErrorCode>;

export class FutureResponse {
  readonly ofCall = true;
  readonly #arrived: Promise<void>;
  #fetched: Fetched | null = null;
  #isTaken = false;

  /** Throws what ends a guest that may not wait: nothing of it is caught on the way. */
  constructor(call: ComponentCall, request: OutgoingRequest, timeoutMs: number) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#arrived = promise;
    const settle = (fetched: Fetched): void => {
      this.#fetched = fetched;
      resolve();
    };
    request.whenWhole(() => {
      call.errand("fetch", request.message(timeoutMs)).then(
        ({ failed, message }) =>
          settle(failed ? bad(errorCodeOf(Buffer.from(message).toString())) : response(call, message)),
        () => settle(bad({ tag: "internal-error", value: undefined })),
      );
    });
  }

  subscribe(): Pollable {
    return new Pollable(
      () => this.#fetched !== null,
      () => ({ done: this.#arrived, cancel: () => {} }),
    );
  }

  /** Undefined as long as there is none; a fault when it has been taken. */
  get(): Result<Fetched, undefined> | undefined {
    if (this.#fetched === null) return undefined;
    if (this.#isTaken) return bad(undefined);
    this.#isTaken = true;
    return good(this.#fetched);
  }
}

function response({ state }: ComponentCall, message: Uint8Array): Fetched {
  if (state.waiter?.keepResult(message.byteLength) === false) return bad({ tag: "connection-limit-reached" });
  const { status, headers, body } = decodeResponse(message, limits.listItemsMax);
  return good(new IncomingResponse(status, headers, body));
}

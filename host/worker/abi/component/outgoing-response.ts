// A response of wasi:http that the guest makes, and the right to answer the call with one. Once it is the
// answer, its body goes out as it is written; what was written before waits for that.

import { limits } from "../../../limits.ts";
import { encodeResponse } from "../../../messages.ts";
import type { CallState } from "../../call-state.ts";
import type { ResponseWriter } from "../../response-writer.ts";
import type { Fields } from "./fields.ts";
import { BodyBuffer, type BodySink, OutgoingBody } from "./http-bodies.ts";
import type { Keep } from "./kept.ts";

const none = new Uint8Array(0);

export class OutgoingResponse {
  readonly ofCall = true;
  status = 200;
  readonly #fields: Fields;
  readonly #content: ResponseContent;
  #body: OutgoingBody | null = null;

  constructor(keep: Keep, fields: Fields) {
    this.#fields = fields;
    this.#content = new ResponseContent(keep);
  }

  headers(): Fields {
    return this.#fields.frozen();
  }

  /** Null when it has been taken. */
  body(): OutgoingBody | null {
    if (this.#body !== null) return null;
    this.#body = new OutgoingBody(this.#content);
    return this.#body;
  }

  /** Makes it the answer of a call, which is whole where nobody has taken the body. */
  answer(state: CallState): void | Promise<void> {
    const fields = this.#fields.entries.flat();
    this.#fields.dropped();
    if (this.#body === null) this.#content.end();
    // Where the guest may not be left waiting nothing is streamed: the answer is whole, or it is none.
    if (state.guard !== null) {
      return this.#content.gather((body) => {
        state.answer = encodeResponse(this.status, fields, body);
      });
    }
    return this.#content.begin(state, encodeResponse(this.status, fields, none));
  }

  /** It is nobody's answer. */
  dropped(): void {
    this.#fields.dropped();
    this.#content.release();
  }
}

/** The bytes of a response, before it is the answer and after. */
class ResponseContent implements BodySink {
  readonly #before: BodyBuffer;
  #state: CallState | null = null;
  #writer: ResponseWriter | null = null;
  #onWhole: ((body: Uint8Array) => void) | null = null;

  constructor(keep: Keep) {
    this.#before = new BodyBuffer(keep, limits.responseBodyBytesMax);
  }

  /** Is given away whole. */
  gather(onWhole: (body: Uint8Array) => void): void {
    this.#onWhole = onWhole;
    this.#endIfWhole();
  }

  /** Goes out as it comes. */
  begin(state: CallState, head: Uint8Array<ArrayBuffer>): void | Promise<void> {
    this.#state = state;
    this.#writer = state.beginAnswer(head);
    const wrote = this.write(this.#before.bytes);
    if (wrote instanceof Promise) return wrote.then(() => this.#begun());
    this.#begun();
  }

  #begun(): void {
    this.release();
    this.#endIfWhole();
  }

  readonly write = (bytes: Uint8Array): void | Promise<void> => {
    if (this.#writer === null) return this.#before.write(bytes);
    if (bytes.byteLength === 0) return;
    this.#state?.streamed(bytes.byteLength);
    return this.#writer.write(bytes);
  };

  readonly release = (): void => this.#before.release();

  readonly end = (): void => {
    this.#before.end();
    this.#endIfWhole();
  };

  #endIfWhole(): void {
    if (!this.#before.isEnded) return;
    this.#onWhole?.(this.#before.bytes);
    this.#state?.endAnswer();
  }
}

/** The right to answer, once. */
export class ResponseOutparam {
  readonly ofCall = true;
}

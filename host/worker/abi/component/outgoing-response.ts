// A response of wasi:http that the guest makes, and the right to answer the call with one.

import { encodeResponse } from "../../../messages.ts";
import type { CallState } from "../../call-state.ts";
import type { Fields } from "./fields.ts";
import { type BodyBuffer, OutgoingBody, responseBody } from "./http-bodies.ts";

export class OutgoingResponse {
  status = 200;
  readonly #fields: Fields;
  readonly #content: BodyBuffer = responseBody();
  #body: OutgoingBody | null = null;

  constructor(fields: Fields) {
    this.#fields = fields;
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

  /** Makes it the answer of a call whose guest has come to its end; false when its body is not whole. */
  answer(state: CallState): boolean {
    if (this.#body !== null && !this.#content.isEnded) return false;
    state.answer = encodeResponse(this.status, this.#fields.entries.flat(), this.#content.take());
    return true;
  }
}

/** The right to answer, once. */
export class ResponseOutparam {}

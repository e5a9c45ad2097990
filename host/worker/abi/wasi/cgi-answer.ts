// The stdout of a program whose answer it is: gathered until the answer is whole or the guest leaves the thread
// with its header block written, from which on the body goes out as it is written.

import type { GuestFaultCode } from "../../../invocation.ts";
import { limits } from "../../../limits.ts";
import { encodeResponse } from "../../../messages.ts";
import type { CallState, Wait } from "../../call-state.ts";
import type { ResponseWriter } from "../../response-writer.ts";
import { type CgiFault, type CgiResponse, HeadEnd, readCgiResponse } from "./cgi-response.ts";
import { Gathered, noRoom, type Sink } from "./streams.ts";

const none = new Uint8Array(0);
/** Most answers are short. */
const uncountedBytes = 16_384;

export class CgiAnswer implements Sink {
  readonly #state: CallState;
  readonly #end: (code: GuestFaultCode, reason: string) => never;
  readonly #gathered: Gathered;
  readonly #headEnd = new HeadEnd();
  #writer: ResponseWriter | null = null;
  #isWatched = false;

  /** `hold` as that of `Gathered`; `end` ends the call for what its guest did. */
  constructor(
    state: CallState,
    hold: (bytes: number) => boolean,
    end: (code: GuestFaultCode, reason: string) => never,
  ) {
    this.#state = state;
    this.#end = end;
    this.#gathered = new Gathered(hold, uncountedBytes);
  }

  /** What goes out as it is written; null as long as nothing does. */
  get writer(): ResponseWriter | null {
    return this.#writer;
  }

  /** What has been written, as long as nothing goes out. */
  response(): CgiResponse | CgiFault {
    return readCgiResponse(this.#gathered.bytes);
  }

  get hasRoom(): boolean {
    return this.#writer === null || this.#writer.hasRoom;
  }

  room(): Wait {
    if (this.#writer === null) throw new Error("Nothing is under way, and room for more is waited for");
    return this.#writer.room();
  }

  write(bytes: Uint8Array): typeof noRoom | null {
    if (this.#writer !== null) {
      this.#push(this.#writer, bytes);
      return null;
    }
    this.#watch();
    if (!this.#gathered.write(bytes)) return noRoom;
    if (this.#gathered.bytes.byteLength > limits.responseHeaderBytesMax) this.#beginLong();
    else if (this.#state.atOnce) this.#leaving();
    return null;
  }

  /** Begins an answer that is too long to be held until it is whole, or ends a guest that has not begun one. */
  #beginLong(): void {
    if (this.#state.phase !== "running") {
      this.#end("bad_guest_output", "the program wrote more than a header block while it was started");
    }
    const response = this.response();
    if ("code" in response) this.#end(response.code, response.reason);
    this.#begin(response);
  }

  /** The guest leaves the thread: what it has of an answer goes out. One that breaks the rules goes on to its end. */
  #leaving(): void {
    if (this.#state.phase !== "running" || !this.#headEnd.isIn(this.#gathered.bytes)) return;
    const response = this.response();
    if (!("code" in response)) this.#begin(response).flush();
  }

  #begin({ status, headers, body }: CgiResponse): ResponseWriter {
    const writer = this.#state.beginAnswer(encodeResponse(status, headers, none));
    this.#writer = writer;
    this.#push(writer, body);
    this.#gathered.release();
    return writer;
  }

  #push(writer: ResponseWriter, bytes: Uint8Array): void {
    this.#state.streamed(bytes.byteLength);
    // The writer has room: it takes as much as one system call brings.
    const late = writer.write(bytes);
    if (late instanceof Promise) throw new Error("A write had to wait with room for it");
  }

  /** On the main thread nothing goes out: there the answer is whole, or the call begins anew elsewhere. */
  #watch(): void {
    if (this.#isWatched) return;
    this.#isWatched = true;
    if (this.#state.guard === null) this.#state.waiter?.onLeaving(() => this.#leaving());
  }
}

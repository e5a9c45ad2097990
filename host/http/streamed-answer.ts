// An answer that goes out as its guest writes it. The guest is told that bytes are taken when they have
// left for the client, so a slow client holds up the guest; one that stands still is cut off. Once the head
// is out nothing but a broken connection can say that something went wrong (docs/threat-model.md B8, B9).

import type { IncomingMessage, ServerResponse } from "node:http";
import { HostError } from "../errors.ts";
import type { AnswerSink } from "../invoke/streamed-call.ts";
import { limits } from "../limits.ts";
import type { BodyShare } from "./body-budget.ts";
import { endUnread } from "./error-response.ts";
import type { GuestResponse } from "./guest-response.ts";
import { isUnread } from "./request-body.ts";

export type StreamedAnswerParts = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly guest: GuestResponse;
  /** Further headers; names and values alternate. */
  readonly headers: readonly string[];
  readonly share: BodyShare;
  /** `limits.writeStallTimeoutMs` unless given. */
  readonly stallTimeoutMs?: number;
  /** `limits.streamedResponseBytesMax` unless given. */
  readonly bytesMax?: number;
};

export class StreamedAnswer implements AnswerSink {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #share: BodyShare;
  readonly #stallTimeoutMs: number;
  readonly #bytesMax: number;
  /** Whether the status or the method lets no content through. */
  readonly #isEmpty: boolean;
  #bytes = 0;
  #inFlight = 0;
  #isCut = false;

  /** Sends the head. */
  constructor(parts: StreamedAnswerParts) {
    const { request, response, guest, headers, share } = parts;
    this.#request = request;
    this.#response = response;
    this.#share = share;
    this.#stallTimeoutMs = parts.stallTimeoutMs ?? limits.writeStallTimeoutMs;
    this.#bytesMax = parts.bytesMax ?? limits.streamedResponseBytesMax;
    this.#isEmpty = guest.body === null;
    const sent = [...guest.headers, ...headers];
    if (this.#isEmpty && guest.status === 205) sent.push("content-length", "0");
    response.writeHead(guest.status, sent);
    // Such an answer is whole: whatever its guest does from now on is none of the connection's business,
    // unless it still reads the request.
    if (this.#isEmpty && !isUnread(request)) response.end();
    // The first bytes come with it, mostly, and go out with it.
    else setImmediate(() => this.#sendHead());
  }

  /** Bytes that the guest has written. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Throws `bad_guest_output` when the answer is over its limit, `overloaded` when there is no room. */
  write(bytes: Uint8Array, taken: () => void): void {
    const { byteLength } = bytes;
    this.#bytes += byteLength;
    if (this.#bytes > this.#bytesMax) {
      throw new HostError("bad_guest_output", `The function's answer has more than ${this.#bytesMax} bytes`);
    }
    if (this.#isEmpty) return taken();
    if (this.#response.destroyed) return;
    this.#share.add(byteLength);
    this.#inFlight += byteLength;
    this.#watchStall();
    this.#response.write(bytes, (error) => {
      this.#share.remove(byteLength);
      this.#inFlight -= byteLength;
      if (error) return;
      // It was queued behind another answer when its call failed.
      if (this.#isCut) return void this.#response.destroy();
      this.#watchStall();
      taken();
    });
  }

  /** The guest has written all of it. */
  end(): void {
    if (!this.#response.writableEnded) endUnread(this.#request, this.#response);
  }

  /** The call failed: the client is not to take what it has for the whole. */
  cut(): void {
    if (this.#response.writableEnded) return;
    this.#isCut = true;
    const { socket, httpVersionMajor, httpVersionMinor } = this.#request;
    // Its turn has not come: what is owed to earlier requests goes out before.
    if (this.#response.socket === null && this.#inFlight > 0) return;
    // Where the end of the connection is the end of the answer, only a reset says that it is not whole.
    if (httpVersionMajor === 1 && httpVersionMinor === 0) socket.resetAndDestroy();
    else socket.destroy();
  }

  #sendHead(): void {
    const { writableEnded, destroyed } = this.#response;
    if ((this.#bytes === 0 || this.#isEmpty) && !writableEnded && !destroyed) this.#response.flushHeaders();
  }

  /** As `cutStalledReader`, while bytes are under way: a guest may take its time between them. */
  #watchStall(): void {
    this.#response.socket?.setTimeout(this.#inFlight > 0 ? this.#stallTimeoutMs : 0);
  }
}

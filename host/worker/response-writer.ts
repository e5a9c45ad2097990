// The answer of one call that its guest writes in pieces. Nothing of it leaves the thread while its guest
// is on it, up to a chunk: an answer that is whole by then is an ordinary one. After that it is sent as it
// comes, and a guest that is ahead of its reader waits. Knows no ABI: host calls of all kinds use it.

import { ChunkBuffer, windowBytes } from "../chunk-buffer.ts";
import type { Wait, Waiter } from "./call-state.ts";
import { GuestFault } from "./guest-memory.ts";

export type AnswerPort = {
  /** The answer has begun; a response message without a body (docs/abi.md). */
  head(message: Uint8Array<ArrayBuffer>): void;
  /** Further bytes of its body, whose memory is the other side's from then on. */
  chunk(bytes: Uint8Array<ArrayBuffer>): void;
};

export class ResponseWriter {
  readonly #port: AnswerPort;
  readonly #waiter: Waiter;
  /** Whether each piece is sent at once: a guest that is not metered does not leave its thread. */
  readonly #atOnce: boolean;
  readonly #head: Uint8Array<ArrayBuffer>;
  readonly #pending = new ChunkBuffer();
  #isSent = false;
  #isEnded = false;
  /** Bytes sent and not taken. */
  #inFlight = 0;
  #wake: (() => void) | null = null;

  constructor(parts: {
    readonly head: Uint8Array<ArrayBuffer>;
    readonly port: AnswerPort;
    readonly waiter: Waiter;
    readonly atOnce: boolean;
  }) {
    this.#head = parts.head;
    this.#port = parts.port;
    this.#waiter = parts.waiter;
    this.#atOnce = parts.atOnce;
    this.#waiter.onLeaving(() => this.flush());
  }

  /** Whether a write of as much as a chunk is taken at once. */
  get hasRoom(): boolean {
    return this.#inFlight < windowBytes;
  }

  /** Until there is room, for who waits by other means. One at a time. */
  room(): Wait {
    const done = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    return {
      done,
      cancel: () => {
        this.#wake = null;
      },
    };
  }

  /** Whether its head has left the thread: what goes wrong from then on cannot be told by a status. */
  get isSent(): boolean {
    return this.#isSent;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /**
   * Writes bytes, which have been taken when it returns, or when the promise resolves that it gives where
   * the reader is behind. Rejects when the call is stopped.
   */
  write(bytes: Uint8Array): void | Promise<void> {
    if (this.#isEnded)
      throw new GuestFault("bad_guest_output", "the function wrote after the end of its answer");
    const taken = this.#put(bytes, 0);
    if (taken < bytes.byteLength) return this.#putRest(bytes, taken);
    if (this.#atOnce) this.flush();
  }

  /** Ends the answer: the whole message when nothing of it has been sent, else null. */
  end(): Uint8Array<ArrayBuffer> | null {
    if (this.#isEnded) throw new GuestFault("bad_guest_output", "the function ended its answer twice");
    this.#isEnded = true;
    if (this.#isSent) {
      this.#send();
      return null;
    }
    const body = this.#pending.take();
    const message = new Uint8Array(this.#head.byteLength + body.byteLength);
    message.set(this.#head);
    message.set(body, this.#head.byteLength);
    return message;
  }

  /** The reader has taken so many bytes; `buffer` is one that comes back. */
  taken(bytes: number, buffer: ArrayBuffer | null): void {
    this.#inFlight -= bytes;
    if (buffer !== null) this.#pending.giveBack(buffer, this.#inFlight === 0);
    if (this.#inFlight > windowBytes / 2) return;
    if (!this.#isEnded) this.#send();
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }

  /** Takes bytes from an offset on, as long as the reader is not behind; how far it came. */
  #put(bytes: Uint8Array, from: number): number {
    let at = from;
    for (;;) {
      at += this.#pending.add(at === 0 ? bytes : bytes.subarray(at));
      if (!this.#pending.isFull) return at;
      if (this.#inFlight >= windowBytes) return at;
      this.#send();
    }
  }

  async #putRest(bytes: Uint8Array, from: number): Promise<void> {
    for (let at = from; at < bytes.byteLength; at = this.#put(bytes, at)) {
      const { done, cancel } = this.room();
      await this.#waiter.wait(done, cancel);
    }
    if (this.#atOnce) this.flush();
  }

  /** The guest leaves the thread, for now: what it has written goes out. */
  flush(): void {
    if (!this.#isEnded && this.#inFlight < windowBytes) this.#send();
  }

  #send(): void {
    if (!this.#isSent) {
      this.#isSent = true;
      this.#port.head(this.#head);
    }
    if (this.#pending.length === 0) return;
    this.#inFlight += this.#pending.length;
    this.#port.chunk(this.#pending.take());
  }
}

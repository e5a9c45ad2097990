// The body of one request, as its guest reads it: of a request that came whole, or as it comes. It is
// asked for at the first read, and the other side sends no more than what the guest is behind by. Knows
// no ABI: host calls of all kinds use it.

import { Fifo } from "../fifo.ts";
import type { Wait, Waiter } from "./call-state.ts";

export type BodyPort = {
  /** The guest wants it. */
  pull(): void;
  /** These bytes have been read; their memory may go back. */
  taken(chunk: Uint8Array<ArrayBuffer>): void;
};

const none = new Uint8Array(0);

export class BodyReader {
  readonly #port: BodyPort | null;
  readonly #waiter: Waiter | null;
  readonly #chunks = new Fifo<Uint8Array<ArrayBuffer>>();
  #current: Uint8Array;
  #at = 0;
  #pulled = false;
  #ended: boolean;
  #wake: (() => void) | null = null;

  private constructor(whole: Uint8Array, port: BodyPort | null, waiter: Waiter | null) {
    this.#current = whole;
    this.#port = port;
    this.#waiter = waiter;
    this.#ended = port === null;
  }

  /** Of a body that is there. */
  static ofBytes(whole: Uint8Array): BodyReader {
    return new BodyReader(whole, null, null);
  }

  /** Of a body that comes as it is read. */
  static ofPort(port: BodyPort, waiter: Waiter): BodyReader {
    return new BodyReader(none, port, waiter);
  }

  /**
   * The next bytes, `max` at most and at least one, good until the next read; null at the end. A promise
   * where they have not come yet, which rejects when the call is stopped.
   */
  read(max: number): Uint8Array | null | Promise<Uint8Array | null> {
    const bytes = this.#next(max);
    if (bytes !== null || this.#ended) return bytes;
    return this.#wait(max);
  }

  /** Whether a read answers at once. */
  get isReady(): boolean {
    return this.#ended || this.#at < this.#current.byteLength || this.#chunks.size > 0;
  }

  /** Whether nothing is left of it. */
  get isAtEnd(): boolean {
    return this.#ended && this.#at === this.#current.byteLength && this.#chunks.size === 0;
  }

  /** Has it come, for a guest that does not wait for it. */
  ask(): void {
    if (this.#pulled || this.#port === null) return;
    this.#pulled = true;
    this.#port.pull();
  }

  /** Until a read answers at once, for who waits by other means. One at a time. */
  arrival(): Wait {
    this.ask();
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

  /** Bytes have come. */
  arrived(chunk: Uint8Array<ArrayBuffer>): void {
    this.#chunks.push(chunk);
    this.#woken();
  }

  /** No more will come. */
  ended(): void {
    this.#ended = true;
    this.#woken();
  }

  async #wait(max: number): Promise<Uint8Array | null> {
    if (this.#port === null || this.#waiter === null) throw new Error("A body that is there is waited for");
    for (;;) {
      const { done, cancel } = this.arrival();
      await this.#waiter.wait(done, cancel);
      const bytes = this.#next(max);
      if (bytes !== null || this.#ended) return bytes;
    }
  }

  #next(max: number): Uint8Array | null {
    if (this.#at === this.#current.byteLength) {
      if (this.#port !== null && isOwn(this.#current)) this.#port.taken(this.#current);
      this.#current = this.#chunks.shift() ?? none;
      this.#at = 0;
      if (this.#current.byteLength === 0) return null;
    }
    const bytes = this.#current.subarray(this.#at, this.#at + max);
    this.#at += bytes.byteLength;
    return bytes;
  }

  #woken(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }
}

/** Whether it is a chunk that came, and not the empty one before the first. */
function isOwn(bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> {
  return bytes.byteLength > 0 && bytes.buffer instanceof ArrayBuffer;
}

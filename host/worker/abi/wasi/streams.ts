// What a program reads from and writes to that is no file: the request's body, its answer, its log.

import { limits } from "../../../limits.ts";
import type { CallState, Wait } from "../../call-state.ts";
import type { GuestLog } from "../../guest-log.ts";

export type Source = {
  /** Whether a read answers at once. */
  readonly isReady: boolean;
  /** Whether nothing is left of it. */
  readonly isAtEnd: boolean;
  /** Fills the start of `into` with what is there; how many bytes, 0 at the end. Only where it is ready. */
  read(into: Uint8Array): number;
  /** Has it come, for a guest that does not wait for it. */
  ask(): void;
  /** Until it is ready; for where it is not. */
  arrival(): Wait;
};

export type Sink = {
  /** Whether what one system call writes is taken at once. */
  readonly hasRoom: boolean;
  /**
   * Takes all of the bytes, which are the guest's and may change afterwards; null, or `noRoom` where the host has
   * none in its memory. Only where the sink has room.
   */
  write(bytes: Uint8Array): typeof noRoom | null;
  /** Until it has room; for where it has none. */
  room(): Wait;
};

/** The host has no room for what is written just now. */
export const noRoom = "no room";

/** The body of the request, whether it came with it or comes as it is read. */
export class BodySource implements Source {
  readonly #state: CallState;

  constructor(state: CallState) {
    this.#state = state;
  }

  get isReady(): boolean {
    return this.#state.body.isReady;
  }

  get isAtEnd(): boolean {
    return this.#state.body.isAtEnd;
  }

  read(into: Uint8Array): number {
    const { body } = this.#state;
    let bytes = 0;
    while (bytes < into.byteLength && body.isReady) {
      const chunk = body.read(into.byteLength - bytes);
      if (chunk instanceof Promise) throw new Error("A body that is ready had to be waited for");
      if (chunk === null) break;
      into.set(chunk, bytes);
      bytes += chunk.byteLength;
    }
    this.#state.streamed(bytes);
    return bytes;
  }

  ask(): void {
    this.#state.body.ask();
  }

  arrival(): Wait {
    return this.#state.body.arrival();
  }
}

const firstBytes = 1_024;

/** Gathers what is written; who writes bounds it. */
export class Gathered {
  readonly #hold: (bytes: number) => boolean;
  readonly #uncountedBytes: number;
  #buffer = new Uint8Array(0);
  #length = 0;
  #heldBytes = 0;

  /** `hold` counts bytes that are held from now on, or no more; false when there is no room. Less is not counted. */
  constructor(hold: (bytes: number) => boolean, uncountedBytes: number) {
    this.#hold = hold;
    this.#uncountedBytes = uncountedBytes;
  }

  /** False when there is no room for it. */
  write(bytes: Uint8Array): boolean {
    const length = this.#length + bytes.byteLength;
    if (length > this.#buffer.byteLength) {
      const capacity = Math.max(length, 2 * this.#buffer.byteLength, firstBytes);
      if (capacity > this.#uncountedBytes) {
        if (!this.#hold(capacity - this.#heldBytes)) return false;
        this.#heldBytes = capacity;
      }
      const larger = new Uint8Array(capacity);
      larger.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length = length;
    return true;
  }

  /** Lets go of all of it. */
  release(): void {
    this.#hold(-this.#heldBytes);
    this.#heldBytes = 0;
    this.#buffer = new Uint8Array(0);
    this.#length = 0;
  }

  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }
}

const newline = 10;
const carriageReturn = 13;

/** Writes lines to the function's log, which bounds their number and size. */
export class LineLog implements Sink {
  readonly hasRoom = true;
  readonly #log: GuestLog;
  /** Of the line that has begun. */
  #begun = "";
  readonly #decoder = new TextDecoder();

  constructor(log: GuestLog) {
    this.#log = log;
  }

  write(bytes: Uint8Array): null {
    // Nobody reads what comes after the cut.
    if (this.#log.isCut) return null;
    let start = 0;
    for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, start)) {
      this.#end(bytes.subarray(start, end > start && bytes[end - 1] === carriageReturn ? end - 1 : end));
      start = end + 1;
      if (this.#log.isCut) return null;
    }
    this.#begun += this.#text(bytes.subarray(start), true);
    if (this.#begun.length > limits.logLineBytesMax) this.flush();
    return null;
  }

  room(): never {
    throw new Error("Room in a log is waited for");
  }

  flush(): void {
    if (this.#begun !== "") this.#end(new Uint8Array(0));
  }

  #end(bytes: Uint8Array): void {
    const line = this.#begun + this.#text(bytes, false);
    this.#begun = "";
    this.#log.write("info", line);
  }

  #text(bytes: Uint8Array, more: boolean): string {
    // A line of the log is cut there anyway.
    return this.#decoder.decode(bytes.subarray(0, limits.logLineBytesMax + 1), { stream: more });
  }
}

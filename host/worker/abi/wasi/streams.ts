// What a program reads from and writes to that is no file: the request's body, its answer, its log.

import { limits } from "../../../limits.ts";
import type { GuestLog } from "../../guest-log.ts";

export type Source = {
  /** Fills the start of `into`; how many bytes, 0 at the end. */
  read(into: Uint8Array): number;
};

export type Sink = {
  /**
   * Takes all of the bytes, which are the guest's and may change afterwards; null, or why it cannot: `noRoom`
   * is for the guest to know, any other text ends it.
   */
  write(bytes: Uint8Array): string | null;
};

/** The host has no room for what is written just now. */
export const noRoom = "no room";

export class BytesSource implements Source {
  readonly #bytes: Uint8Array;
  #position: number;

  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes;
    this.#position = start;
  }

  read(into: Uint8Array): number {
    const chunk = this.#bytes.subarray(this.#position, this.#position + into.byteLength);
    into.set(chunk);
    this.#position += chunk.byteLength;
    return chunk.byteLength;
  }
}

const firstBytes = 1_024;
/** Less is not counted: most answers are short. */
const uncountedBytes = 16_384;

/** Gathers what is written, up to a bound. */
export class Gathered implements Sink {
  readonly #bytesMax: number;
  readonly #hold: (bytes: number) => boolean;
  #buffer = new Uint8Array(0);
  #length = 0;

  /** `hold` counts bytes that are held from now on; false when there is no room. */
  constructor(bytesMax: number, hold: (bytes: number) => boolean) {
    this.#bytesMax = bytesMax;
    this.#hold = hold;
  }

  write(bytes: Uint8Array): string | null {
    const length = this.#length + bytes.byteLength;
    if (length > this.#bytesMax) return `the answer has more than ${this.#bytesMax} bytes`;
    if (length > this.#buffer.byteLength) {
      const capacity = Math.max(length, Math.min(2 * this.#buffer.byteLength, this.#bytesMax), firstBytes);
      if (capacity > uncountedBytes && !this.#hold(capacity - this.#buffer.byteLength)) return noRoom;
      const larger = new Uint8Array(capacity);
      larger.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length = length;
    return null;
  }

  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }
}

const newline = 10;
const carriageReturn = 13;

/** Writes lines to the function's log, which bounds their number and size. */
export class LineLog implements Sink {
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

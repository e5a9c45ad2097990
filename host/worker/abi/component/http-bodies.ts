// Bodies of wasi:http, on both sides: each can be taken once, and its stream once.

import { GuestFault } from "../../guest-memory.ts";
import { InputStream, OutputStream, type Sink, type Source } from "./streams.ts";

/** A body that comes to the guest. */
export class IncomingBody {
  readonly ofCall = true;
  #source: Source | null;

  constructor(source: Source) {
    this.#source = source;
  }

  /** Null when it has been taken. */
  stream(): InputStream | null {
    const source = this.#source;
    this.#source = null;
    return source && new InputStream(source, true);
  }
}

/** Bytes that are there. */
export function sourceOf(bytes: Uint8Array): Source {
  let at = 0;
  return (max) => {
    if (at === bytes.byteLength) return null;
    const read = bytes.subarray(at, at + max);
    at += read.byteLength;
    return read;
  };
}

/** Trailers, which this host neither sends nor takes: they are there, and they are none. */
export class FutureTrailers {
  taken = false;
}

/** Where the bytes of a body go, and what is done when there are no more. */
export type BodySink = { readonly write: Sink; readonly end: () => void };

/** A body that the guest writes. */
export class OutgoingBody {
  readonly ofCall = true;
  readonly #sink: BodySink;
  #stream: OutputStream | null = null;

  constructor(sink: BodySink) {
    this.#sink = sink;
  }

  /** Null when it has been taken. */
  write(): OutputStream | null {
    if (this.#stream !== null) return null;
    this.#stream = new OutputStream(this.#sink.write, true);
    return this.#stream;
  }

  finish(): void {
    if (this.#stream !== null) this.#stream.closed = true;
    this.#sink.end();
  }
}

/** Keeps the bytes of a body until it is whole. */
export class BodyBuffer implements BodySink {
  readonly #chunks: Uint8Array[] = [];
  readonly #bytesMax: number;
  #bytes = 0;
  isEnded = false;
  readonly #onEnd: () => void;

  constructor(bytesMax: number, onEnd: () => void = () => {}) {
    this.#bytesMax = bytesMax;
    this.#onEnd = onEnd;
  }

  readonly write = (bytes: Uint8Array): undefined => {
    this.#bytes += bytes.byteLength;
    if (this.#bytes > this.#bytesMax) {
      throw new GuestFault("bad_guest_output", `a body has more than ${this.#bytesMax} bytes`);
    }
    // The view is of the guest's memory.
    if (bytes.byteLength > 0) this.#chunks.push(bytes.slice());
  };

  readonly end = (): void => {
    this.isEnded = true;
    this.#onEnd();
  };

  take(): Uint8Array {
    const [only] = this.#chunks;
    if (only !== undefined && this.#chunks.length === 1) return only;
    return Buffer.concat(this.#chunks);
  }
}

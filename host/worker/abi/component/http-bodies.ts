// Bodies of wasi:http, on both sides: each can be taken once, and its stream once.

import { GuestFault } from "../../guest-memory.ts";
import { Gathered } from "../wasi/streams.ts";
import { type Keep, Kept } from "./kept.ts";
import { InputStream, OutputStream, type Sink, type Source } from "./streams.ts";

/** A body that comes to the guest. */
export class IncomingBody {
  readonly ofCall = true;
  #source: Source | null;
  readonly #release: () => void;

  /** `release` is called when nobody can read it any more. */
  constructor(source: Source, release: () => void = () => {}) {
    this.#source = source;
    this.#release = release;
  }

  /** Null when it has been taken. */
  stream(): InputStream | null {
    const source = this.#source;
    this.#source = null;
    return source && new InputStream(source, true, this.#release);
  }

  dropped(): void {
    if (this.#source !== null) this.#release();
    this.#source = null;
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
export type BodySink = { readonly write: Sink; readonly end: () => void; readonly release: () => void };

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

  /** It has no end, and goes nowhere. */
  dropped(): void {
    if (this.#stream !== null) this.#stream.closed = true;
    this.#sink.release();
  }
}

/** Keeps the bytes of a body until it is whole. */
export class BodyBuffer implements BodySink {
  readonly #gathered: Gathered;
  readonly #bytesMax: number;
  isEnded = false;
  readonly #onEnd: () => void;

  constructor(keep: Keep, bytesMax: number, onEnd: () => void = () => {}) {
    const kept = new Kept(keep);
    this.#gathered = new Gathered((bytes) => {
      kept.add(bytes);
      return true;
    }, 0);
    this.#bytesMax = bytesMax;
    this.#onEnd = onEnd;
  }

  readonly write = (bytes: Uint8Array): undefined => {
    if (this.#gathered.bytes.byteLength + bytes.byteLength > this.#bytesMax) {
      throw new GuestFault("bad_guest_output", `a body has more than ${this.#bytesMax} bytes`);
    }
    if (bytes.byteLength > 0) this.#gathered.write(bytes);
  };

  readonly end = (): void => {
    this.isEnded = true;
    this.#onEnd();
  };

  /** Valid until more is written. */
  get bytes(): Uint8Array {
    return this.#gathered.bytes;
  }

  /** Lets go of its bytes. */
  readonly release = (): void => this.#gathered.release();
}

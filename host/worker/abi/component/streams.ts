// The streams of wasi:io, whatever is behind them, and what a guest waits for. A guest that reads what has
// not come, or is ahead of its reader, leaves the thread until it may go on: a stream is always ready.

import type { ComponentGuest } from "./guest.ts";

/** Gives bytes, at most `max` and at least one, good until the next read; null at the end. */
export type Source = (max: number) => Uint8Array | null | Promise<Uint8Array | null>;

export class InputStream {
  readonly #source: Source;
  /** Whether it is of a body. */
  readonly ofCall: boolean;
  readonly dropped: () => void;
  #ended = false;

  constructor(source: Source, ofCall = false, dropped: () => void = () => {}) {
    this.#source = source;
    this.ofCall = ofCall;
    this.dropped = dropped;
  }

  /** Null once it has ended. */
  read(max: number): Uint8Array | null | Promise<Uint8Array | null> {
    if (this.#ended) return null;
    const read = this.#source(max);
    return read instanceof Promise ? read.then((bytes) => this.#took(bytes)) : this.#took(read);
  }

  #took(bytes: Uint8Array | null): Uint8Array | null {
    if (bytes === null) this.#ended = true;
    return bytes;
  }
}

type Wrote = StreamFault | null | undefined | void;

/** Takes bytes, which are the guest's again when it has returned, or resolved; what went wrong, if anything. */
export type Sink = (bytes: Uint8Array) => Wrote | Promise<Wrote>;

/** What one write may bring. */
export const writeBytesMax = 65_536;

export class OutputStream {
  readonly #sink: Sink;
  /** Whether it is of a body. */
  readonly ofCall: boolean;
  readonly dropped: () => void;
  /** Whether it takes no more. */
  closed = false;

  constructor(sink: Sink, ofCall = false, dropped: () => void = () => {}) {
    this.#sink = sink;
    this.ofCall = ofCall;
    this.dropped = dropped;
  }

  write(bytes: Uint8Array): Wrote | Promise<Wrote> {
    return this.#sink(bytes);
  }
}

/** What went wrong with a stream. */
export class StreamFault {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

/** Something that is waited for: `begin` gives the promise and what lets go of it. */
export class Pollable {
  readonly #isReady: () => boolean;
  readonly #begin: () => { readonly done: Promise<unknown>; readonly cancel: () => void };

  constructor(
    isReady: () => boolean,
    begin: () => { readonly done: Promise<unknown>; readonly cancel: () => void },
  ) {
    this.#isReady = isReady;
    this.#begin = begin;
  }

  get ready(): boolean {
    return this.#isReady();
  }

  begin() {
    return this.#begin();
  }
}

/** Of a stream, and of what is there already. */
export const alwaysReady = new Pollable(
  () => true,
  () => ({ done: Promise.resolve(), cancel: () => {} }),
);

/** Waits until one of them is ready. */
export function waitForAny(guest: ComponentGuest, pollables: readonly Pollable[]): void | Promise<void> {
  if (pollables.some(({ ready }) => ready)) return;
  const begun = pollables.map((pollable) => pollable.begin());
  const cancel = (): void => {
    for (const each of begun) each.cancel();
  };
  return guest.waiter.wait(Promise.race(begun.map(({ done }) => done)), cancel).then(cancel);
}

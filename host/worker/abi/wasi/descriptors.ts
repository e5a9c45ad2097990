// The descriptors of one call: small numbers for what it has open, the lowest free one for each that is new.

import { limits } from "../../../limits.ts";
import type { Wait } from "../../call-state.ts";
import type { Directory, File } from "../../filesystem/nodes.ts";
import type { Sink, Source } from "./streams.ts";

export type OpenFile = {
  readonly kind: "file";
  readonly node: File;
  readonly reads: boolean;
  readonly writes: boolean;
  /** Each write goes to the end. */
  appends: boolean;
  position: number;
};

export type OpenDirectory = {
  readonly kind: "directory";
  readonly node: Directory;
  /** The path by which the guest knows it from its start on; null for one that it opened. */
  readonly preopenedAs: string | null;
};

export type OpenStream = (
  | { readonly kind: "source"; readonly source: Source }
  | { readonly kind: "sink"; readonly sink: Sink }
) & {
  /** Whether what would have to wait is refused instead. */
  nonblocking: boolean;
};

export type Descriptor = OpenFile | OpenDirectory | OpenStream;

/** Whether a stream can be read from, or written to, at once, and by what to wait for it where it cannot. */
export type Readiness = { readonly isReady: boolean; readonly begin: () => Wait };

/** Of a read of a source, a write to a sink; null for what is always ready. */
export function readinessOf(descriptor: Descriptor | null): Readiness | null {
  if (descriptor?.kind === "source") {
    const { source } = descriptor;
    return { isReady: source.isReady, begin: () => source.arrival() };
  }
  if (descriptor?.kind !== "sink") return null;
  const { sink } = descriptor;
  return { isReady: sink.hasRoom, begin: () => sink.room() };
}

export class Descriptors {
  readonly #open: (Descriptor | null)[];
  #lowestFree: number;

  constructor(first: readonly Descriptor[]) {
    this.#open = [...first];
    this.#lowestFree = first.length;
  }

  get(fd: number): Descriptor | null {
    return this.#open[fd] ?? null;
  }

  /** The number of a new one; null when there are as many as there may be. */
  add(descriptor: Descriptor): number | null {
    let fd = this.#lowestFree;
    while (this.#open[fd] != null) fd += 1;
    if (fd >= limits.descriptorsMax) return null;
    this.#open[fd] = descriptor;
    this.#lowestFree = fd + 1;
    return fd;
  }

  /** Takes one away; null when there is none. */
  remove(fd: number): Descriptor | null {
    const found = this.get(fd);
    if (found === null) return null;
    this.#open[fd] = null;
    this.#lowestFree = Math.min(this.#lowestFree, fd);
    return found;
  }

  /** Puts one under a number that there is; what that was. */
  replace(fd: number, descriptor: Descriptor): Descriptor | null {
    const before = this.get(fd);
    this.#open[fd] = descriptor;
    return before;
  }
}

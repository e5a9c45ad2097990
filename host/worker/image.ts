// The state of an instance just after its start: what a call must find. An instance that has ended a
// call well is set back to it in place of being thrown away, which is several times cheaper; no guest can
// tell the two apart (test/wasm/reset.test.ts). Only for modules whose whole state is their memory and
// their globals (`resettableGlobals` of wasm/inspection.ts).

import type { Guest } from "./guest-instance.ts";

/** All of an instance that a run can change. */
export type InstanceState = Pick<Guest, "memory" | "globals">;

/** A larger memory is dearer to look through and set back than to make anew, and is not kept idle. */
export const imageMemoryBytesMax = 32 * 1024 * 1024;

export class InstanceImage {
  /** What of the memory is not zero, in turn. */
  readonly #parts: readonly ImagePart[];
  readonly #memoryBytes: number;
  readonly #globals: readonly (number | bigint)[];

  private constructor(
    parts: readonly ImagePart[],
    memoryBytes: number,
    globals: readonly (number | bigint)[],
  ) {
    this.#parts = parts;
    this.#memoryBytes = memoryBytes;
    this.#globals = globals;
  }

  /** The image of an instance that has started and run no call; null when it cannot be set back to it. */
  static take(instance: InstanceState): InstanceImage | null {
    const globals = instance.globals.map((global): number | bigint => global.value);
    // The payload of a NaN is lost on the way through JavaScript, and a guest can read it.
    if (globals.some((value) => Number.isNaN(value))) return null;
    const memory = instance.memory && new Uint8Array(instance.memory.buffer);
    if (memory !== null && memory.byteLength > imageMemoryBytesMax) return null;
    return new InstanceImage(memory === null ? [] : partsOf(memory), memory?.byteLength ?? 0, globals);
  }

  /** Bytes that the image itself takes. */
  get byteLength(): number {
    return this.#parts.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
  }

  /** Sets an instance back; false when its memory has grown, and it is to be thrown away. */
  restore(instance: InstanceState): boolean {
    const buffer = instance.memory?.buffer;
    if ((buffer?.byteLength ?? 0) !== this.#memoryBytes) return false;
    if (buffer !== undefined) {
      const memory = new Uint8Array(buffer);
      let end = 0;
      for (const { at, bytes } of this.#parts) {
        if (at > end) memory.fill(0, end, at);
        memory.set(bytes, at);
        end = at + bytes.byteLength;
      }
      memory.fill(0, end);
    }
    const { globals } = instance;
    for (let index = 0; index < globals.length; index += 1) {
      const global = globals[index] as WebAssembly.Global;
      const value = this.#globals[index];
      // Reading is cheaper than setting, and most are as they were. -0 is not 0.
      if (!Object.is(global.value, value)) global.value = value;
    }
    return true;
  }
}

type ImagePart = { readonly at: number; readonly bytes: Uint8Array };

/** Zeroing costs half of copying, and a call of either as much as some of this: a stack is a mebibyte of zeros. */
const blockBytes = 16_384;

/** Compared with by the engine's own code: a loop over the words takes longer than all else at a first call. */
const zeros = Buffer.alloc(blockBytes);

/** The memory without its blocks of zeros, which are neither kept nor copied back. */
function partsOf(memory: Uint8Array<ArrayBuffer | SharedArrayBuffer>): ImagePart[] {
  const parts: ImagePart[] = [];
  let start: number | null = null;
  // A memory is a whole number of pages, and a page of blocks.
  for (let at = 0; at <= memory.byteLength; at += blockBytes) {
    const isZero = at === memory.byteLength || zeros.equals(memory.subarray(at, at + blockBytes));
    if (!isZero) start ??= at;
    else if (start !== null) {
      parts.push({ at: start, bytes: memory.slice(start, at) });
      start = null;
    }
  }
  return parts;
}

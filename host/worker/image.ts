// The state of an instance just after its start: what a call must find. An instance that has ended a
// call well is set back to it in place of being thrown away, which is several times cheaper; no guest can
// tell the two apart (test/wasm/reset.test.ts). Only for modules whose whole state is their memory and
// their globals (`resettableGlobals` of wasm/inspection.ts).

import type { GuestInstance } from "./instance.ts";

/** All of an instance that a run can change. */
export type InstanceState = Pick<GuestInstance, "memory" | "globals">;

/** A larger memory is dearer to look through and set back than to make anew, and is not kept idle. */
export const imageMemoryBytesMax = 32 * 1024 * 1024;

export class InstanceImage {
  /** The memory up to its last byte that is not zero. */
  readonly #bytes: Uint8Array;
  readonly #memoryBytes: number;
  readonly #globals: readonly (number | bigint)[];

  private constructor(bytes: Uint8Array, memoryBytes: number, globals: readonly (number | bigint)[]) {
    this.#bytes = bytes;
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
    const used = memory === null ? new Uint8Array(0) : memory.slice(0, usedBytes(memory));
    return new InstanceImage(used, memory?.byteLength ?? 0, globals);
  }

  /** Bytes that the image itself takes. */
  get byteLength(): number {
    return this.#bytes.byteLength;
  }

  /** Sets an instance back; false when its memory has grown, and it is to be thrown away. */
  restore(instance: InstanceState): boolean {
    const buffer = instance.memory?.buffer;
    if ((buffer?.byteLength ?? 0) !== this.#memoryBytes) return false;
    if (buffer !== undefined) {
      const memory = new Uint8Array(buffer);
      memory.set(this.#bytes);
      memory.fill(0, this.#bytes.byteLength);
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

/** Bytes up to the last one that is not zero, to the word. */
function usedBytes(memory: Uint8Array<ArrayBuffer | SharedArrayBuffer>): number {
  // A memory is a whole number of pages.
  const words = new BigUint64Array(memory.buffer);
  let used = words.length;
  while (used > 0 && words[used - 1] === 0n) used -= 1;
  return used * 8;
}

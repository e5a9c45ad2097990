// Lists of NUL-terminated strings, which is how arguments and environment get into a guest.

import type { GuestMemory } from "../../guest-memory.ts";

/** Writes how many strings there are and the bytes that they take. */
export function writeSizes(
  memory: GuestMemory,
  strings: readonly Uint8Array[],
  countPointer: number,
  bytesPointer: number,
): void {
  memory.setU32(countPointer, strings.length);
  memory.setU32(
    bytesPointer,
    strings.reduce((sum, { byteLength }) => sum + byteLength + 1, 0),
  );
}

/** Writes the strings one after the other, and a pointer to each. */
export function writeStrings(
  memory: GuestMemory,
  strings: readonly Uint8Array[],
  pointers: number,
  start: number,
): void {
  let pointer = start >>> 0;
  for (const [index, bytes] of strings.entries()) {
    memory.setU32((pointers >>> 0) + 4 * index, pointer);
    const view = memory.view(pointer, bytes.byteLength + 1);
    view.set(bytes);
    view[bytes.byteLength] = 0;
    pointer += view.byteLength;
  }
}

// The vectors of a read or write: a list of ranges of the guest's memory, of which every pointer, length and
// count is the guest's. One call moves no more than a bound, which is a short read or write.

import { limits } from "../../../limits.ts";
import type { GuestMemory } from "../../guest-memory.ts";

const vectorBytes = 8;

/** The ranges, in their order; null when there are more than there may be. */
export function vectors(memory: GuestMemory, pointer: number, count: number): Uint8Array[] | null {
  if (count >>> 0 > limits.systemVectorsMax) return null;
  const ranges: Uint8Array[] = [];
  let room: number = limits.systemCallBytesMax;
  for (let index = 0; index < count >>> 0; index += 1) {
    const at = (pointer >>> 0) + vectorBytes * index;
    const range = memory.view(memory.u32(at), memory.u32(at + 4));
    if (range.byteLength === 0) continue;
    ranges.push(range.byteLength > room ? range.subarray(0, room) : range);
    room -= range.byteLength;
    if (room <= 0) break;
  }
  return ranges;
}

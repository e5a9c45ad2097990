// The part of `prepare.ts` that replaces every memory.grow by a call to an appended function, which
// asks the host for room, grows, and notes in an appended global when either was refused: after a trap
// the host can tell "out of memory" from other faults. The answer the guest sees is the same.

import { refusedBy } from "../prepared-names.ts";
import type { BinaryReader } from "./binary-reader.ts";
import { BinaryWriter, u32Bytes } from "./binary-writer.ts";
import { memoryGrowOpcode, skipLocals } from "./code-section.ts";
import { InstructionDecoder } from "./instructions.ts";

/** (func (param i32) (result i32)), an entry of the type section. */
export const growType = Uint8Array.of(0x60, 1, 0x7f, 1, 0x7f);

/**
 * The appended function with its size: an entry of the code section. `askFunction` is the index of
 * `growName`, null where nobody is asked.
 */
export function growBody(refusedGlobalIndex: number, askFunction: number | null): Uint8Array {
  const body = new BinaryWriter().u8(0x00); // no locals
  if (askFunction !== null) {
    body
      .u8(0x20, 0x00, 0x10)
      .u32(askFunction)
      .u8(0x45, 0x04, 0x40, 0x41, refusedBy.host, 0x24) // if there is no room, the global says so
      .u32(refusedGlobalIndex)
      .u8(0x41, 0x7f, 0x0f, 0x0b); // and the answer is -1
  }
  body
    .u8(0x20, 0x00, memoryGrowOpcode, 0x00) // memory.grow of the parameter
    .u8(0x22, 0x00, 0x41, 0x7f, 0x46, 0x04, 0x40) // kept in the parameter; if it is -1
    .u8(0x41, refusedBy.maximum, 0x24) // the global says so
    .u32(refusedGlobalIndex)
    .u8(0x0b, 0x20, 0x00, 0x0b); // end; the answer
  return new BinaryWriter().sized(body).finish();
}

/** Appends the bodies of the code section with each memory.grow made a call of `growFunctionIndex`. */
export function appendBodies(
  reader: BinaryReader,
  count: number,
  growFunctionIndex: number,
  out: BinaryWriter,
): void {
  const call = Uint8Array.of(0x10, ...u32Bytes(growFunctionIndex));
  const decoder = new InstructionDecoder(reader.bytes);
  let unchangedFrom = reader.position;
  for (let left = count; left > 0; left -= 1) {
    const entryStart = reader.position;
    const size = reader.u32();
    const bodyStart = reader.position;
    reader.skip(size);
    decoder.start(bodyStart, reader.position);
    const grows = findGrows(decoder);
    if (grows.length === 0) continue;
    out.append(reader.bytes.subarray(unchangedFrom, entryStart));
    const body = replaceAll(reader.bytes.subarray(bodyStart, reader.position), grows, bodyStart, call);
    out.u32(body.length).append(body);
    unchangedFrom = reader.position;
  }
  out.append(reader.bytes.subarray(unchangedFrom, reader.position));
}

/** Start and end of each memory.grow, in turn: byte offsets in the module. */
function findGrows(decoder: InstructionDecoder): number[] {
  const ranges: number[] = [];
  skipLocals(decoder);
  while (decoder.next()) {
    if (decoder.opcode === memoryGrowOpcode) ranges.push(decoder.offset, decoder.position);
  }
  return ranges;
}

/** One array per body, not one per piece: a body may consist of nothing but memory.grow. */
function replaceAll(
  body: Uint8Array,
  ranges: readonly number[],
  bodyStart: number,
  replacement: Uint8Array,
): Uint8Array {
  let removed = 0;
  for (let at = 0; at < ranges.length; at += 2) removed += (ranges[at + 1] ?? 0) - (ranges[at] ?? 0);
  const replaced = new Uint8Array(body.length - removed + (ranges.length / 2) * replacement.length);
  let from = 0;
  let to = 0;
  for (let at = 0; at < ranges.length; at += 2) {
    const start = (ranges[at] ?? 0) - bodyStart;
    for (let byte = from; byte < start; byte += 1) replaced[to++] = body[byte] ?? 0;
    for (let byte = 0; byte < replacement.length; byte += 1) replaced[to++] = replacement[byte] ?? 0;
    from = (ranges[at + 1] ?? 0) - bodyStart;
  }
  replaced.set(body.subarray(from), to);
  return replaced;
}

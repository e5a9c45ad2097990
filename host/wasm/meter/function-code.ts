// One function body, decoded once into arrays, so that the passes of metering need not read LEB128
// numbers again and again. One object is reused for all bodies of a module.

import { BinaryReader } from "../binary-reader.ts";
import { InstructionDecoder } from "../instructions.ts";
import { readBlockType, readValueType, unbounded } from "../value-types.ts";
import { opcode } from "./opcode.ts";

export class FunctionCode {
  readonly bytes: Uint8Array;
  /** Offset of the first byte of the body: the vector of local groups. */
  start = 0;
  /** Number of groups of locals, and where the first one begins. */
  localGroups = 0;
  localGroupsStart = 0;
  /** Locals without parameters. */
  locals = 0;
  /** Instructions, the last `end` included. */
  count = 0;
  opcodes = new Int32Array(256);
  /** Byte offset of each instruction; one more entry than instructions, for the end. */
  offsets = new Int32Array(257);
  /** The first index among the immediates, as `InstructionDecoder.index`, if there is one. */
  indices = new Int32Array(256);

  private readonly decoder: InstructionDecoder;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.decoder = new InstructionDecoder(bytes);
  }

  /** Decodes the body from `start` up to `end`, which the inspection has read before. */
  load(start: number, end: number): void {
    const { decoder } = this;
    decoder.start(start, end);
    this.start = start;
    this.readLocals();
    let count = 0;
    while (decoder.next()) {
      if (count === this.opcodes.length) this.grow();
      this.opcodes[count] = decoder.opcode;
      this.offsets[count] = decoder.offset;
      this.indices[count] = decoder.index;
      count += 1;
    }
    this.offsets[count] = decoder.position;
    this.count = count;
  }

  /** The label depths of a br_table, the default last. */
  labels(instruction: number): number[] {
    const reader = this.immediatesOf(instruction);
    return Array.from({ length: reader.u32() + 1 }, () => reader.u32());
  }

  /** The label depths of a try_table's catches, counted from outside of it. */
  catchLabels(instruction: number): number[] {
    const reader = this.immediatesOf(instruction);
    readBlockType(reader, { features: 0, bounds: unbounded });
    return Array.from({ length: reader.u32() }, () => {
      if (reader.u8() < 2) reader.u32();
      return reader.u32();
    });
  }

  /** The block type of a block: an index of the type section, or -1 when it is written out. */
  blockTypeIndex(instruction: number): number {
    const reader = this.immediatesOf(instruction);
    const first = reader.bytes[reader.position] as number;
    return (first & 0xc0) === 0x40 ? -1 : reader.s33();
  }

  private immediatesOf(instruction: number): BinaryReader {
    // One byte of opcode: no instruction with labels is prefixed.
    return new BinaryReader(this.bytes, (this.offsets[instruction] as number) + 1);
  }

  private readLocals(): void {
    const { decoder } = this;
    this.localGroups = decoder.u32();
    this.localGroupsStart = decoder.position;
    this.locals = 0;
    for (let left = this.localGroups; left > 0; left -= 1) {
      this.locals += decoder.u32();
      readValueType(decoder, decoder);
    }
  }

  private grow(): void {
    this.opcodes = enlarged(this.opcodes, this.opcodes.length * 2);
    this.indices = enlarged(this.indices, this.indices.length * 2);
    this.offsets = enlarged(this.offsets, this.opcodes.length + 1);
  }
}

function enlarged(array: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(length);
  larger.set(array);
  return larger;
}

/** Whether the instruction names one label by its index: br, br_if, br_on_null, br_on_non_null. */
export function isSingleBranch(code: number): boolean {
  return (
    code === opcode.br || code === opcode.brIf || code === opcode.brOnNull || code === opcode.brOnNonNull
  );
}

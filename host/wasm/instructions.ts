// Steps through the instructions of an expression: a function body after its locals, or a constant
// expression. One object is reused for all bodies of a module and makes no garbage, as modules have
// millions of instructions. It reads shapes only: whether types fit is V8's business.
// Spec: WebAssembly core 3.0, section 5.4.

import { BinaryReader } from "./binary-reader.ts";
import { feature } from "./features.ts";
import { immediate, isPrefix, opcodeFeatures, opcodeSlot, shapes } from "./opcodes.ts";
import { hex, malformed, unsupported } from "./read-fault.ts";
import {
  checkIndex,
  type IndexBounds,
  readBlockType,
  readHeapType,
  readValueType,
  unbounded,
} from "./value-types.ts";

const castFlagsMax = 3;
const catchKindMax = 3;

export class InstructionDecoder extends BinaryReader {
  /** The opcode `next` read: one byte, or prefix * 0x1000 + number, as 0xfc00b for memory.fill. */
  opcode = 0;
  /** Byte offset of the opcode from the module's start; `position` is just past its immediates. */
  offset = 0;
  /** The first index among the immediates: label, function, local, global, type, table or memory. */
  index = 0;
  /** Feature bits of this instruction, its types included. */
  features = 0;
  /** Open blocks, the expression itself included; 0 when its `end` has been read. */
  depth = 0;
  /** Locals of the body, parameters included: indices are checked against it; set after `start`. */
  locals = 2 ** 32;
  /** Indices of types, functions and globals are checked against it. */
  readonly bounds: Readonly<IndexBounds>;

  constructor(bytes: Uint8Array, bounds: Readonly<IndexBounds> = unbounded) {
    super(bytes);
    this.bounds = bounds;
  }

  /** Begins an expression at `position`, in bytes that end at `end`. */
  start(position: number, end: number): void {
    this.position = position;
    this.end = end;
    this.depth = 1;
    this.locals = 2 ** 32;
  }

  /**
   * Reads the next instruction; false when the expression's last `end` has been read before.
   * Throws a ReadFault when the bytes end too early or the opcode is not known.
   */
  next(): boolean {
    if (this.depth === 0) return false;
    this.offset = this.position;
    const byte = this.u8();
    let slot = byte;
    if (isPrefix(byte)) {
      this.opcode = byte * 0x1000 + Math.min(this.u32(), 0xfff);
      slot = opcodeSlot(this.opcode);
    } else {
      this.opcode = byte;
    }
    this.features = opcodeFeatures[slot] as number;
    this.immediates(shapes[slot] as number);
    return true;
  }

  /** The opcode as bytes, for messages: "opcode 0xfc 0x0b". */
  describe(): string {
    if (this.opcode < 0x100) return `opcode ${hex(this.opcode)}`;
    const number = this.opcode % 0x1000;
    return `opcode ${hex(Math.floor(this.opcode / 0x1000))} ${number === 0xfff ? "0xfff or more" : hex(number)}`;
  }

  private immediates(shape: number): void {
    switch (shape) {
      case immediate.none:
        return;
      case immediate.index:
        this.index = this.u32();
        return;
      case immediate.local:
        this.index = this.u32();
        checkIndex(this.index, this.locals, "local", this.offset);
        return;
      case immediate.label:
        this.index = this.label();
        return;
      case immediate.memoryArgument:
        this.memoryArgument();
        return;
      case immediate.functionIndex:
        this.boundedIndex(this.bounds.functions, "function");
        return;
      case immediate.globalIndex:
        this.boundedIndex(this.bounds.globals, "global");
        return;
      case immediate.s32:
        this.s32();
        return;
      case immediate.blockType:
        this.depth += 1;
        readBlockType(this, this);
        return;
      case immediate.end:
        this.depth -= 1;
        return;
      case immediate.s64:
        this.skipS64();
        return;
      case immediate.bytes1:
        this.skip(1);
        return;
      case immediate.bytes4:
        this.skip(4);
        return;
      case immediate.bytes8:
        this.skip(8);
        return;
      case immediate.bytes16:
        this.skip(16);
        return;
      case immediate.memoryArgumentLane:
        this.memoryArgument();
        this.skip(1);
        return;
      default:
        this.rareImmediates(shape);
    }
  }

  private rareImmediates(shape: number): void {
    switch (shape) {
      case immediate.typeIndex:
        this.boundedIndex(this.bounds.types, "type");
        return;
      case immediate.typeIndexPair:
        this.boundedIndex(this.bounds.types, "type");
        this.u32();
        return;
      case immediate.delegate:
        this.depth -= 1;
        if (this.depth === 0) throw malformed("delegate is outside of a try block", this.offset);
        this.index = this.label();
        return;
      case immediate.indexPair:
        this.index = this.u32();
        this.u32();
        return;
      case immediate.labels:
        for (let count = this.count(); count > 0; count -= 1) this.label();
        this.index = this.label();
        return;
      case immediate.memoryIndex:
        this.index = this.memoryIndex();
        return;
      case immediate.memoryIndexPair:
        this.index = this.memoryIndex();
        this.memoryIndex();
        return;
      case immediate.dataMemory:
        this.index = this.u32();
        this.memoryIndex();
        return;
      case immediate.valueTypes:
        for (let count = this.count(); count > 0; count -= 1) readValueType(this, this);
        return;
      case immediate.heapType:
        readHeapType(this, this);
        return;
      case immediate.tryTable:
        this.tryTable();
        return;
      case immediate.castBranch:
        if (this.u8() > castFlagsMax) throw malformed("a cast has unknown flags", this.offset);
        this.index = this.u32();
        readHeapType(this, this);
        readHeapType(this, this);
        return;
      default:
        throw unsupported(this.features, this.describe(), this.offset);
    }
  }

  /** Alignment, whose bit 6 announces a memory index and bit 5 an ordering, then the offset. */
  private memoryArgument(): void {
    const alignment = this.u32();
    if (alignment > 0x1f) {
      if (alignment > 0x7f) throw malformed(`an alignment is 2^${alignment}`, this.offset);
      if ((alignment & 0x20) !== 0) this.features |= feature.acquireRelease;
      if ((alignment & 0x40) !== 0) this.memoryIndex();
    }
    // 64 bits wide since memory64, for 32-bit memories too; V8 compares it with the memory's kind.
    this.u64();
  }

  /** How many blocks out; one label more is the body's, and what is around that is the host's. */
  private label(): number {
    const label = this.u32();
    checkIndex(label, this.depth, "label", this.offset);
    return label;
  }

  private boundedIndex(bound: number, noun: string): void {
    this.index = this.u32();
    checkIndex(this.index, bound, noun, this.offset);
  }

  private memoryIndex(): number {
    const index = this.u32();
    if (index !== 0) this.features |= feature.multiMemory;
    return index;
  }

  /** A block type, then handlers: kind (catch, catch_ref, catch_all, catch_all_ref), tag, label. */
  private tryTable(): void {
    readBlockType(this, this);
    for (let count = this.count(2); count > 0; count -= 1) {
      const kind = this.u8();
      if (kind > catchKindMax) throw malformed(`there is a catch kind ${hex(kind)}`, this.position - 1);
      if (kind < 2) this.u32();
      this.label();
    }
    this.depth += 1;
  }
}

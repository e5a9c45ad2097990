// The opcode table: for each opcode V8 14.6 decodes without a flag, the shape of its immediates and
// the proposal it came with. Opcodes of the proposals behind flags are named, so that a refusal can
// name them, but have no shape. Spec: WebAssembly core 3.0, section 5.4; legacy exceptions: its appendix.

import { feature } from "./features.ts";

/** Shapes of immediates; `unknown` is not decoded at all. */
export const immediate = {
  unknown: 0,
  none: 1,
  blockType: 2,
  end: 3,
  delegate: 4,
  index: 5,
  indexPair: 6,
  labels: 7,
  memoryArgument: 8,
  memoryArgumentLane: 9,
  memoryIndex: 10,
  memoryIndexPair: 11,
  dataMemory: 12,
  s32: 13,
  s64: 14,
  bytes1: 15,
  bytes4: 16,
  bytes8: 17,
  bytes16: 18,
  valueTypes: 19,
  heapType: 20,
  tryTable: 21,
  castBranch: 22,
  functionIndex: 23,
  globalIndex: 24,
  typeIndex: 25,
  typeIndexPair: 26,
  label: 27,
  local: 28,
} as const;

const { unknown, none, index, indexPair, memoryArgument, functionIndex, typeIndex, typeIndexPair } =
  immediate;

/** First opcode, last opcode, shape, feature bits. A prefixed opcode is prefix * 0x1000 + number. */
type OpcodeRow = readonly [first: number, last: number, shape: number, features: number];

const rows: readonly OpcodeRow[] = [
  [0x00, 0x01, none, 0],
  [0x02, 0x04, immediate.blockType, 0],
  [0x05, 0x05, none, 0],
  [0x06, 0x06, immediate.blockType, feature.legacyExceptions],
  [0x07, 0x07, index, feature.legacyExceptions],
  [0x08, 0x08, index, feature.exceptions],
  [0x09, 0x09, immediate.label, feature.legacyExceptions],
  [0x0a, 0x0a, none, feature.exceptions | feature.newExceptions],
  [0x0b, 0x0b, immediate.end, 0],
  [0x0c, 0x0d, immediate.label, 0],
  [0x0e, 0x0e, immediate.labels, 0],
  [0x0f, 0x0f, none, 0],
  [0x10, 0x10, functionIndex, 0],
  [0x11, 0x11, typeIndexPair, 0],
  [0x12, 0x12, functionIndex, feature.tailCalls],
  [0x13, 0x13, typeIndexPair, feature.tailCalls],
  [0x14, 0x14, typeIndex, feature.typedFunctionReferences],
  [0x15, 0x15, typeIndex, feature.tailCalls | feature.typedFunctionReferences],
  [0x18, 0x18, immediate.delegate, feature.legacyExceptions],
  [0x19, 0x19, none, feature.legacyExceptions],
  [0x1a, 0x1b, none, 0],
  [0x1c, 0x1c, immediate.valueTypes, feature.referenceTypes],
  [0x1f, 0x1f, immediate.tryTable, feature.exceptions | feature.newExceptions],
  [0x20, 0x22, immediate.local, 0],
  [0x23, 0x24, immediate.globalIndex, 0],
  [0x25, 0x25, index, feature.referenceTypes],
  [0x26, 0x26, index, feature.referenceTypes | feature.lastingWrite],
  [0x28, 0x3e, memoryArgument, 0],
  [0x3f, 0x40, immediate.memoryIndex, 0],
  [0x41, 0x41, immediate.s32, 0],
  [0x42, 0x42, immediate.s64, 0],
  [0x43, 0x43, immediate.bytes4, 0],
  [0x44, 0x44, immediate.bytes8, 0],
  [0x45, 0xbf, none, 0],
  [0xc0, 0xc4, none, feature.signExtension],
  [0xd0, 0xd0, immediate.heapType, feature.referenceTypes],
  [0xd1, 0xd1, none, feature.referenceTypes],
  [0xd2, 0xd2, functionIndex, feature.referenceTypes],
  [0xd3, 0xd3, none, feature.gc],
  [0xd4, 0xd4, none, feature.typedFunctionReferences],
  [0xd5, 0xd6, immediate.label, feature.typedFunctionReferences],
  [0xe0, 0xe6, unknown, feature.stackSwitching],
  // 0xFB: garbage collection
  [0xfb000, 0xfb001, typeIndex, feature.gc],
  [0xfb002, 0xfb005, typeIndexPair, feature.gc],
  [0xfb006, 0xfb007, typeIndex, feature.gc],
  [0xfb008, 0xfb00a, typeIndexPair, feature.gc],
  [0xfb00b, 0xfb00e, typeIndex, feature.gc],
  [0xfb00f, 0xfb00f, none, feature.gc],
  [0xfb010, 0xfb010, typeIndex, feature.gc],
  [0xfb011, 0xfb013, typeIndexPair, feature.gc],
  [0xfb014, 0xfb017, immediate.heapType, feature.gc],
  [0xfb018, 0xfb019, immediate.castBranch, feature.gc],
  [0xfb01a, 0xfb01e, none, feature.gc],
  [0xfb01f, 0xfb01f, unknown, feature.sharedEverythingThreads],
  [0xfb020, 0xfb027, unknown, feature.customDescriptors],
  [0xfb080, 0xfb0bf, unknown, feature.stringref],
  // 0xFC: saturating conversions, bulk memory, tables
  [0xfc000, 0xfc007, none, feature.saturatingConversions],
  [0xfc008, 0xfc008, immediate.dataMemory, feature.bulkMemory],
  [0xfc009, 0xfc009, index, feature.bulkMemory | feature.lastingWrite],
  [0xfc00a, 0xfc00a, immediate.memoryIndexPair, feature.bulkMemory],
  [0xfc00b, 0xfc00b, immediate.memoryIndex, feature.bulkMemory],
  [0xfc00c, 0xfc00c, indexPair, feature.bulkMemory | feature.lastingWrite],
  [0xfc00d, 0xfc00d, index, feature.bulkMemory | feature.lastingWrite],
  [0xfc00e, 0xfc00e, indexPair, feature.bulkMemory | feature.lastingWrite],
  [0xfc00f, 0xfc00f, index, feature.referenceTypes | feature.lastingWrite],
  [0xfc010, 0xfc010, index, feature.referenceTypes],
  [0xfc011, 0xfc011, index, feature.referenceTypes | feature.lastingWrite],
  [0xfc012, 0xfc012, unknown, feature.memoryControl],
  [0xfc013, 0xfc016, unknown, feature.wideArithmetic],
  [0xfc030, 0xfc031, unknown, feature.halfPrecision],
  // 0xFD: vectors
  [0xfd000, 0xfd00b, memoryArgument, feature.simd],
  [0xfd00c, 0xfd00d, immediate.bytes16, feature.simd],
  [0xfd00e, 0xfd014, none, feature.simd],
  [0xfd015, 0xfd022, immediate.bytes1, feature.simd],
  [0xfd023, 0xfd053, none, feature.simd],
  [0xfd054, 0xfd05b, immediate.memoryArgumentLane, feature.simd],
  [0xfd05c, 0xfd05d, memoryArgument, feature.simd],
  [0xfd05e, 0xfd0ff, none, feature.simd],
  [0xfd100, 0xfd113, none, feature.relaxedSimd],
  [0xfd120, 0xfd14f, unknown, feature.halfPrecision],
  // 0xFE: atomics
  [0xfe000, 0xfe002, memoryArgument, feature.atomics],
  [0xfe003, 0xfe003, immediate.bytes1, feature.atomics],
  [0xfe004, 0xfe004, unknown, feature.sharedEverythingThreads],
  [0xfe010, 0xfe04e, memoryArgument, feature.atomics],
  [0xfe04f, 0xfe07f, unknown, feature.sharedEverythingThreads],
];

/** Numbers between the vector instructions that were never given out. */
const vectorHoles = [
  0x9a, 0xa2, 0xa5, 0xa6, 0xaf, 0xb0, 0xb2, 0xb3, 0xb4, 0xbb, 0xc2, 0xc5, 0xc6, 0xcf, 0xd0, 0xd2, 0xd3, 0xd4,
  0xe2, 0xee,
];

const prefixFirst = 0xfb;
const prefixLast = 0xfe;
const numbersPerPrefix = 0x200;
const slots = 0x100 + (prefixLast - prefixFirst + 1) * numbersPerPrefix;

/** Shape of the immediates by slot (`opcodeSlot`). */
export const shapes = new Uint8Array(slots);
/** Feature bits by slot. */
export const opcodeFeatures = new Int32Array(slots).fill(feature.unknownOpcode);

for (const [first, last, shape, bits] of rows) {
  const slot = opcodeSlot(first);
  shapes.fill(shape, slot, slot + last - first + 1);
  opcodeFeatures.fill(bits, slot, slot + last - first + 1);
}
for (const number of vectorHoles) {
  shapes[opcodeSlot(0xfd000 + number)] = unknown;
  opcodeFeatures[opcodeSlot(0xfd000 + number)] = feature.unknownOpcode;
}

/** Whether `byte` is followed by the rest of the opcode, a u32. */
export function isPrefix(byte: number): boolean {
  return byte >= prefixFirst && byte <= prefixLast;
}

/** Where an opcode is in the tables; 0xff, which is no opcode, for numbers beyond every prefix's range. */
export function opcodeSlot(opcode: number): number {
  if (opcode < 0x100) return opcode;
  const prefix = Math.floor(opcode / 0x1000);
  const number = opcode % 0x1000;
  if (!isPrefix(prefix) || number >= numbersPerPrefix) return 0xff;
  return 0x100 + (prefix - prefixFirst) * numbersPerPrefix + number;
}

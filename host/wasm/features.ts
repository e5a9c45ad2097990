// The proposals beyond WebAssembly 1.0, one bit each, and which of them the host cannot contain.
// The opcode table and the type decoder mark what they meet with these bits; `inspect.ts` refuses.

export const feature = {
  signExtension: 1 << 0,
  saturatingConversions: 1 << 1,
  multiValue: 1 << 2,
  bulkMemory: 1 << 3,
  referenceTypes: 1 << 4,
  typedFunctionReferences: 1 << 5,
  simd: 1 << 6,
  relaxedSimd: 1 << 7,
  exceptions: 1 << 8,
  legacyExceptions: 1 << 9,
  atomics: 1 << 10,
  extendedConst: 1 << 11,
  tailCalls: 1 << 12,
  gc: 1 << 13,
  sharedMemory: 1 << 14,
  sharedEverythingThreads: 1 << 15,
  memory64: 1 << 16,
  table64: 1 << 17,
  multiMemory: 1 << 18,
  customPageSizes: 1 << 19,
  memoryControl: 1 << 20,
  stackSwitching: 1 << 21,
  wideArithmetic: 1 << 22,
  halfPrecision: 1 << 23,
  stringref: 1 << 24,
  customDescriptors: 1 << 25,
  acquireRelease: 1 << 26,
  unknownOpcode: 1 << 27,
  /** No proposal: writes a table or drops a segment, which the host can neither see nor undo. */
  lastingWrite: 1 << 28,
  /** No proposal by itself: an instruction of the newer form of exceptions (try_table, throw_ref). */
  newExceptions: 1 << 29,
} as const;

type FeatureRow = { readonly bit: number; readonly name: string; readonly refused: boolean };

const row = (bit: number, name: string, refused = false): FeatureRow => ({ bit, name, refused });

/** Why a row is refused: docs/threat-model.md H1 (tail calls), H4 and H5 (gc), A5, A8, A26. */
const rows: readonly FeatureRow[] = [
  row(feature.signExtension, "sign-extension"),
  row(feature.saturatingConversions, "saturating-conversions"),
  row(feature.multiValue, "multi-value"),
  row(feature.bulkMemory, "bulk-memory"),
  row(feature.referenceTypes, "reference-types"),
  row(feature.typedFunctionReferences, "typed-function-references"),
  row(feature.simd, "simd"),
  row(feature.relaxedSimd, "relaxed-simd"),
  row(feature.exceptions, "exceptions"),
  row(feature.legacyExceptions, "legacy-exceptions"),
  row(feature.atomics, "atomics"),
  row(feature.extendedConst, "extended-const"),
  row(feature.tailCalls, "tail-calls", true),
  row(feature.gc, "gc", true),
  row(feature.sharedMemory, "shared-memory", true),
  row(feature.sharedEverythingThreads, "shared-everything-threads", true),
  row(feature.memory64, "memory64", true),
  row(feature.table64, "table64", true),
  row(feature.multiMemory, "multi-memory", true),
  row(feature.customPageSizes, "custom-page-sizes", true),
  row(feature.memoryControl, "memory-control", true),
  row(feature.stackSwitching, "stack-switching", true),
  row(feature.wideArithmetic, "wide-arithmetic", true),
  row(feature.halfPrecision, "half-precision", true),
  row(feature.stringref, "stringref", true),
  row(feature.customDescriptors, "custom-descriptors", true),
  row(feature.acquireRelease, "acquire-release", true),
  row(feature.unknownOpcode, "unknown-opcode", true),
];

/** Every bit of a feature that makes a module unacceptable. */
export const refusedFeatures = rows.reduce((bits, { bit, refused }) => (refused ? bits | bit : bits), 0);

/** The same for a module that will be metered: a loop of tail calls then asks whether to go on. */
export const refusedWhenMetered = refusedFeatures & ~feature.tailCalls;

/** The names of the set bits, sorted. */
export function featureNames(bits: number): string[] {
  return rows
    .filter(({ bit }) => (bits & bit) !== 0)
    .map(({ name }) => name)
    .sort();
}

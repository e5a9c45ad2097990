// Value types, reference types and heap types: reads one, spells it as the text format does, and marks
// the proposals it belongs to. Whether a proposal is acceptable is the caller's decision.
// Spec: WebAssembly core 3.0, section 5.3.

import type { BinaryReader } from "./binary-reader.ts";
import { feature } from "./features.ts";
import { hex, malformed } from "./read-fault.ts";

/** Collects the feature bits of what is read, and knows how many types there are to refer to. */
export type FeatureMarks = { features: number; readonly bounds: IndexBounds };

/**
 * Sizes of the index spaces that `prepare.ts` appends to. An index beyond them is refused here, before
 * the appended thing makes it valid: a guest must not reach what is the host's.
 */
export type IndexBounds = { types: number; functions: number; globals: number };

/** For modules whose indices have been checked before. */
export const unbounded: Readonly<IndexBounds> = { types: 2 ** 32, functions: 2 ** 32, globals: 2 ** 32 };

/** Throws when `index` is not below `bound`; `noun` is "type", "function", "global", "local" or "label". */
export function checkIndex(index: number, bound: number, noun: string, offset: number): void {
  if (index >= bound) throw malformed(`there is a ${noun} index ${index} of ${bound} ${noun}s`, offset);
}

type TypeRow = readonly [code: number, name: string, features: number];

const numberTypes: readonly TypeRow[] = [
  [0x7f, "i32", 0],
  [0x7e, "i64", 0],
  [0x7d, "f32", 0],
  [0x7c, "f64", 0],
  [0x7b, "v128", feature.simd],
];

/** Abstract heap types; as value types they are short for `(ref null …)`, spelled `…ref`. */
const heapTypes: readonly TypeRow[] = [
  [0x70, "func", feature.referenceTypes],
  [0x6f, "extern", feature.referenceTypes],
  [0x69, "exn", feature.exceptions],
  [0x74, "noexn", feature.exceptions],
  [0x73, "nofunc", feature.gc],
  [0x72, "noextern", feature.gc],
  [0x71, "none", feature.gc],
  [0x6e, "any", feature.gc],
  [0x6d, "eq", feature.gc],
  [0x6c, "i31", feature.gc],
  [0x6b, "struct", feature.gc],
  [0x6a, "array", feature.gc],
  [0x75, "nocont", feature.stackSwitching],
  [0x68, "cont", feature.stackSwitching],
  [0x67, "string", feature.stringref],
  [0x66, "stringview_wtf8", feature.stringref],
  [0x61, "stringview_iter", feature.stringref],
  [0x60, "stringview_wtf16", feature.stringref],
];

const abbreviations: Readonly<Record<string, string>> = {
  noexn: "nullexnref",
  nofunc: "nullfuncref",
  noextern: "nullexternref",
  none: "nullref",
};

const nullableReference = 0x63;
const reference = 0x64;
const sharedHeapType = 0x65;
const exactHeapType = 0x62;

const valueTypeNames: (string | undefined)[] = new Array(0x80);
const heapTypeNames: (string | undefined)[] = new Array(0x80);
const typeFeatures = new Int32Array(0x80);
for (const [code, name, bits] of numberTypes) {
  valueTypeNames[code] = name;
  typeFeatures[code] = bits;
}
for (const [code, name, bits] of heapTypes) {
  valueTypeNames[code] = abbreviations[name] ?? `${name}ref`;
  heapTypeNames[code] = name;
  typeFeatures[code] = bits;
}

/** Reads a value type (5.3.5) and returns its spelling. */
export function readValueType(reader: BinaryReader, marks: FeatureMarks): string {
  const offset = reader.position;
  const code = reader.u8();
  const name = valueTypeNames[code];
  if (name !== undefined) {
    marks.features |= typeFeatures[code] as number;
    return name;
  }
  if (code !== nullableReference && code !== reference) {
    throw malformed(`there is a value type ${hex(code)}`, offset);
  }
  marks.features |= feature.typedFunctionReferences;
  const heapType = readHeapType(reader, marks);
  return code === reference ? `(ref ${heapType})` : `(ref null ${heapType})`;
}

/** Reads a reference type (5.3.4), as tables and element segments have it. */
export function readReferenceType(reader: BinaryReader, marks: FeatureMarks): string {
  const offset = reader.position;
  const name = readValueType(reader, marks);
  if (!name.endsWith("ref") && !name.startsWith("("))
    throw malformed(`there is an element type ${name}`, offset);
  return name;
}

/** Reads a heap type (5.3.3): an index of the type section or an abstract type. */
export function readHeapType(reader: BinaryReader, marks: FeatureMarks): string {
  const offset = reader.position;
  const value = reader.s33();
  if (value >= 0) {
    checkIndex(value, marks.bounds.types, "type", offset);
    return String(value);
  }
  const code = value + 0x80;
  const name = heapTypeNames[code];
  if (name !== undefined) {
    marks.features |= typeFeatures[code] as number;
    return name;
  }
  // Behind flags in V8 14.6; read one level only, so that nesting costs no stack.
  if (code === sharedHeapType) {
    marks.features |= feature.sharedEverythingThreads;
    return `(shared ${reader.s33()})`;
  }
  if (code === exactHeapType) {
    marks.features |= feature.customDescriptors;
    return `(exact ${reader.u32()})`;
  }
  throw malformed(`there is a heap type ${value}`, offset);
}

/** Reads a block type (5.4.1): empty, one result, or an index of the type section. */
export function readBlockType(reader: BinaryReader, marks: FeatureMarks): void {
  const offset = reader.position;
  const code = reader.u8();
  if (code === 0x40) return;
  reader.position = offset;
  if (code < 0x80 && (code & 0x40) !== 0) {
    readValueType(reader, marks);
    return;
  }
  const typeIndex = reader.s33();
  if (typeIndex < 0) throw malformed("there is a negative block type", offset);
  checkIndex(typeIndex, marks.bounds.types, "type", offset);
  marks.features |= feature.multiValue;
}

// Reads the types of tables, memories and globals, from the import section and their own, adds them
// to the draft, and refuses what cannot be contained: shared or 64-bit ones, many, huge tables.
// Spec: WebAssembly core 3.0, sections 5.3.11 (limits) to 5.3.14 (globals).

import { limits } from "../limits.ts";
import type { BinaryReader } from "./binary-reader.ts";
import { feature } from "./features.ts";
import type { ModuleDraft } from "./module-draft.ts";
import { hex, malformed, overLimit, unsupported } from "./read-fault.ts";
import { readReferenceType, readValueType } from "./value-types.ts";

const functionReference = 0x70;

/** 4 GiB, the most a 32-bit memory can have (spec 3.2.14). */
const memoryPagesMax = 65_536;

type Limits = { readonly minimum: number; readonly maximum: number | null };

/** Bits of the limits' flag byte, beyond bit 0 (there is a maximum). */
type FlagRow = readonly [mask: number, feature: number];

const addresses64Flag = 0x04;
const pageSizeFlag = 0x08;

const memoryFlags: readonly FlagRow[] = [
  [0x02, feature.sharedMemory],
  [addresses64Flag, feature.memory64],
  [pageSizeFlag, feature.customPageSizes],
];

const tableFlags: readonly FlagRow[] = [
  [0x02, feature.sharedEverythingThreads],
  [0x04, feature.table64],
];

export function readMemoryType(reader: BinaryReader, draft: ModuleDraft, imported: boolean): void {
  const offset = reader.position;
  const { minimum, maximum } = readLimits(reader, draft, memoryFlags, "memory");
  // `prepare.ts` drops the maximum, so V8 may never compare the two.
  if (Math.max(minimum, maximum ?? 0) > memoryPagesMax || (maximum !== null && maximum < minimum)) {
    throw malformed(`a memory has ${minimum} to ${maximum ?? "any number of"} pages`, offset);
  }
  draft.memories.push({ imported, initialPages: minimum, maximumPages: maximum });
  if (draft.memories.length > 1) {
    draft.features |= feature.multiMemory;
    draft.checkFeatures("a second memory", offset);
  }
}

/** A memory of any kind that V8 has; its bounds are V8's to check. */
export function readAnyMemory(reader: BinaryReader, draft: ModuleDraft): void {
  const offset = reader.position;
  const flags = reader.u8();
  if ((flags & pageSizeFlag) !== 0) {
    throw unsupported(feature.customPageSizes, `memory with the flags ${hex(flags)}`, offset);
  }
  const is64 = (flags & addresses64Flag) !== 0;
  const pages = (): number => (is64 ? reader.u64() : reader.u32());
  const initialPages = pages();
  const maximumPages = (flags & 1) === 0 ? null : pages();
  draft.memories.push({ imported: false, initialPages, maximumPages });
}

export function readTableType(reader: BinaryReader, draft: ModuleDraft, imported: boolean): void {
  const offset = reader.position;
  const elementType = readElementType(reader, draft);
  draft.checkFeatures(`table of ${elementType}`, offset);
  const { minimum, maximum } = readLimits(reader, draft, tableFlags, "table");
  draft.tables.push({ imported, elementType, initialElements: minimum, maximumElements: maximum });
  const count = draft.tables.length;
  if (count > limits.wasmTablesMax) {
    throw overLimit(`there are ${count} tables or more`, "wasmTablesMax", offset);
  }
  const elements = draft.tables.reduce((sum, { initialElements }) => sum + initialElements, 0);
  if (elements > limits.wasmTableElementsMax) {
    const found = `tables together declare ${elements} elements or more`;
    throw overLimit(found, "wasmTableElementsMax", offset);
  }
}

/** The type of a global; whether the guest may change it goes to the draft. */
export function readGlobalType(reader: BinaryReader, draft: ModuleDraft): void {
  const offset = reader.position;
  const valueType = readValueType(reader, draft);
  const flags = reader.u8();
  if (flags > 3) throw malformed(`a global has the flags ${hex(flags)}`, reader.position - 1);
  if (flags > 1) draft.features |= feature.sharedEverythingThreads;
  draft.checkFeatures(flags > 1 ? "shared global" : `global of ${valueType}`, offset);
  if ((flags & 1) !== 0) draft.mutableGlobals.push({ index: draft.globalsRead, valueType });
  draft.globalsRead += 1;
}

/** As `readReferenceType`, but the funcref that tables always could hold marks no proposal. */
export function readElementType(reader: BinaryReader, draft: ModuleDraft): string {
  if (reader.bytes[reader.position] !== functionReference) return readReferenceType(reader, draft);
  reader.u8();
  return "funcref";
}

function readLimits(
  reader: BinaryReader,
  draft: ModuleDraft,
  flagRows: readonly FlagRow[],
  noun: string,
): Limits {
  const offset = reader.position;
  const flags = reader.u8();
  const known = flagRows.reduce((bits, [mask]) => bits | mask, 1);
  if ((flags & ~known) !== 0) throw malformed(`a ${noun} has the flags ${hex(flags)}`, offset);
  for (const [mask, bits] of flagRows) {
    if ((flags & mask) !== 0) draft.features |= bits;
  }
  draft.checkFeatures(`${noun} with the flags ${hex(flags)}`, offset);
  const minimum = reader.u32();
  return { minimum, maximum: (flags & 1) === 0 ? null : reader.u32() };
}

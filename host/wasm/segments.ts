// Reads element and data segments: their forms and expressions; the data itself is passed over.
// Spec: WebAssembly core 3.0, sections 5.5.12 (element), 5.5.14 (data), 5.5.16 (data count).

import type { BinaryReader } from "./binary-reader.ts";
import { readConstantExpression } from "./constant-expression.ts";
import { feature } from "./features.ts";
import type { InstructionDecoder } from "./instructions.ts";
import { checkCount, type ModuleDraft } from "./module-draft.ts";
import { hex, malformed } from "./read-fault.ts";
import { readElementType } from "./storage-types.ts";
import { checkIndex } from "./value-types.ts";

const elementFlagsMax = 7;
const dataFlagsMax = 2;

/** Bits of an element segment's flags. */
const passiveBit = 1;
const explicitBit = 2;
const expressionsBit = 4;

export function readElementSection(
  reader: BinaryReader,
  draft: ModuleDraft,
  decoder: InstructionDecoder,
): void {
  const countOffset = reader.position;
  draft.elementSegments = reader.count(2);
  checkSegments(draft, countOffset);
  for (let left = draft.elementSegments; left > 0; left -= 1) readElementSegment(reader, draft, decoder);
}

export function readDataSection(reader: BinaryReader, draft: ModuleDraft, decoder: InstructionDecoder): void {
  const countOffset = reader.position;
  draft.dataSegments = reader.count(2);
  checkSegments(draft, countOffset);
  for (let left = draft.dataSegments; left > 0; left -= 1) {
    const offset = reader.position;
    const flags = reader.u32();
    if (flags > dataFlagsMax) throw malformed(`a data segment has the flags ${hex(flags)}`, offset);
    if (flags === 1) draft.features |= feature.bulkMemory;
    if (flags === 2 && reader.u32() !== 0) draft.features |= feature.multiMemory;
    draft.checkFeatures("data segment", offset);
    if (flags !== 1) readConstantExpression(reader, draft, decoder);
    reader.skip(reader.u32());
  }
}

/** The number of data segments, which the data section must have; V8 compares. */
export function readDataCountSection(reader: BinaryReader, draft: ModuleDraft): void {
  draft.features |= feature.bulkMemory;
  reader.u32();
}

function readElementSegment(reader: BinaryReader, draft: ModuleDraft, decoder: InstructionDecoder): void {
  const offset = reader.position;
  const flags = reader.u32();
  if (flags > elementFlagsMax) throw malformed(`an element segment has the flags ${hex(flags)}`, offset);
  const isActive = (flags & passiveBit) === 0;
  if (!isActive) draft.features |= feature.bulkMemory;
  if (isActive && (flags & explicitBit) !== 0) reader.u32();
  if (isActive) readConstantExpression(reader, draft, decoder);
  const hasExpressions = (flags & expressionsBit) !== 0;
  if ((flags & (passiveBit | explicitBit)) !== 0) readElementKind(reader, draft, hasExpressions);
  if (hasExpressions) draft.features |= feature.referenceTypes;
  const countOffset = reader.position;
  const elements = reader.count();
  draft.segmentElements += elements;
  checkCount(draft.segmentElements, "wasmSegmentElementsMax", "elements in segments", countOffset);
  for (let count = elements; count > 0; count -= 1) {
    if (hasExpressions) readConstantExpression(reader, draft, decoder);
    else readFunctionIndex(reader, draft);
  }
}

function readElementKind(reader: BinaryReader, draft: ModuleDraft, hasExpressions: boolean): void {
  const offset = reader.position;
  if (hasExpressions) {
    const elementType = readElementType(reader, draft);
    draft.checkFeatures(`element segment of ${elementType}`, offset);
    return;
  }
  const kind = reader.u8();
  if (kind !== 0) throw malformed(`an element segment has the kind ${hex(kind)}`, offset);
}

function readFunctionIndex(reader: BinaryReader, draft: ModuleDraft): void {
  const offset = reader.position;
  checkIndex(reader.u32(), draft.bounds.functions, "function", offset);
}

function checkSegments(draft: ModuleDraft, offset: number): void {
  const count = draft.elementSegments + draft.dataSegments;
  checkCount(count, "wasmSegmentsMax", "segments", offset);
}

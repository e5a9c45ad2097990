// Reads the sections that declare things without code or data: imports, functions, tables, memories,
// tags, globals, exports, start. Spec: WebAssembly core 3.0, sections 5.5.5 to 5.5.11.

import { printableAscii } from "../printable.ts";
import type { BinaryReader } from "./binary-reader.ts";
import { readConstantExpression } from "./constant-expression.ts";
import { feature } from "./features.ts";
import type { ExternalKind, FunctionType } from "./inspection.ts";
import type { InstructionDecoder } from "./instructions.ts";
import { type ModuleDraft, readCount } from "./module-draft.ts";
import { hex, malformed, ReadFault } from "./read-fault.ts";
import { readAnyMemory, readGlobalType, readMemoryType, readTableType } from "./storage-types.ts";
import { checkIndex } from "./value-types.ts";

const kinds: readonly ExternalKind[] = ["function", "table", "memory", "global", "tag"];

/** Names the host gives to what it adds to a module (`prepare.ts`). */
const reservedExportPrefix = "mayfly:";

/** A table with an initial value begins with these two bytes (5.5.7). */
const tableWithInitializer = 0x40;

export function readImportSection(reader: BinaryReader, draft: ModuleDraft): void {
  const count = readCount(reader, 4, "wasmImportsMax", "imports");
  for (let left = count; left > 0; left -= 1) {
    const module = reader.name();
    const name = reader.name();
    const kind = readKind(reader);
    draft.imports.push({ module, name, kind, type: readImportType(reader, draft, kind) });
  }
}

export function readFunctionSection(reader: BinaryReader, draft: ModuleDraft): void {
  const count = readCount(reader, 1, "wasmFunctionsMax", "functions");
  draft.bounds.functions += count;
  for (let left = count; left > 0; left -= 1) {
    const offset = reader.position;
    const typeIndex = reader.u32();
    checkIndex(typeIndex, draft.bounds.types, "type", offset);
    draft.functionTypeIndices.push(typeIndex);
  }
}

export function readTableSection(
  reader: BinaryReader,
  draft: ModuleDraft,
  decoder: InstructionDecoder,
): void {
  const count = readCount(reader, 3, "wasmTablesMax", "tables");
  for (let left = count; left > 0; left -= 1) {
    const initialized = reader.bytes[reader.position] === tableWithInitializer;
    if (initialized) {
      reader.skip(1);
      if (reader.u8() !== 0) throw malformed("a table has an unknown form", reader.position - 1);
      draft.features |= feature.typedFunctionReferences;
    }
    readTableType(reader, draft, false);
    if (initialized) readConstantExpression(reader, draft, decoder);
  }
}

export function readMemorySection(reader: BinaryReader, draft: ModuleDraft): void {
  for (let count = reader.count(2); count > 0; count -= 1) readMemoryType(reader, draft, false);
}

/** As `readMemorySection`, but several, shared and 64-bit ones may be there. */
export function readAnyMemories(reader: BinaryReader, draft: ModuleDraft): void {
  const count = readCount(reader, 2, "wasmMemoriesMax", "memories");
  for (let left = count; left > 0; left -= 1) readAnyMemory(reader, draft);
}

export function readTagSection(reader: BinaryReader, draft: ModuleDraft): void {
  for (let count = reader.count(2); count > 0; count -= 1) {
    readTagType(reader, draft);
    draft.tags += 1;
  }
}

export function readGlobalSection(
  reader: BinaryReader,
  draft: ModuleDraft,
  decoder: InstructionDecoder,
): void {
  const count = readCount(reader, 3, "wasmGlobalsMax", "globals");
  draft.globals = count;
  draft.bounds.globals += count;
  for (let left = count; left > 0; left -= 1) {
    readGlobalType(reader, draft);
    readConstantExpression(reader, draft, decoder);
  }
}

export function readExportSection(reader: BinaryReader, draft: ModuleDraft): void {
  const count = readCount(reader, 3, "wasmExportsMax", "exports");
  for (let left = count; left > 0; left -= 1) {
    const offset = reader.position;
    const name = reader.name();
    if (name.startsWith(reservedExportPrefix)) {
      const found = `it exports the reserved export name "${printableAscii(name)}"`;
      const wanted = `wanted no name that starts with "${reservedExportPrefix}"`;
      throw new ReadFault("unsupported_feature", found, wanted, "reserved export name", offset);
    }
    const kind = readKind(reader);
    const index = reader.u32();
    if (kind === "global") checkIndex(index, draft.bounds.globals, "global", offset);
    const type = kind === "function" ? functionTypeOf(draft, index, offset) : null;
    draft.exports.push({ name, kind, index, type });
  }
}

export function readStartSection(reader: BinaryReader, draft: ModuleDraft): void {
  const offset = reader.position;
  draft.startFunction = reader.u32();
  const { params, results } = functionTypeOf(draft, draft.startFunction, offset);
  // As an export (`prepare.ts`) it might have any type, so V8 would not see this.
  if (params.length + results.length > 0) throw malformed("the start function takes or gives values", offset);
}

function readKind(reader: BinaryReader): ExternalKind {
  const offset = reader.position;
  const code = reader.u8();
  const kind = kinds[code];
  if (kind === undefined) throw malformed(`there is an import or export kind ${hex(code)}`, offset);
  return kind;
}

function readImportType(reader: BinaryReader, draft: ModuleDraft, kind: ExternalKind): FunctionType | null {
  const offset = reader.position;
  if (kind === "tag") return readTagType(reader, draft);
  if (kind === "function") {
    const typeIndex = reader.u32();
    const type = draft.functionType(typeIndex, offset);
    draft.functionTypeIndices.push(typeIndex);
    draft.importedFunctions += 1;
    draft.bounds.functions += 1;
    return type;
  }
  if (kind === "table") readTableType(reader, draft, true);
  else if (kind === "memory") readMemoryType(reader, draft, true);
  else {
    readGlobalType(reader, draft);
    draft.importedGlobals += 1;
    draft.bounds.globals += 1;
  }
  return null;
}

/** An attribute, always 0 (exception), and the type index (5.3.15). */
function readTagType(reader: BinaryReader, draft: ModuleDraft): FunctionType {
  const offset = reader.position;
  draft.features |= feature.exceptions;
  if (reader.u8() !== 0) throw malformed("a tag has an unknown attribute", offset);
  return draft.functionType(reader.u32(), offset);
}

function functionTypeOf(draft: ModuleDraft, functionIndex: number, offset: number): FunctionType {
  checkIndex(functionIndex, draft.bounds.functions, "function", offset);
  return draft.functionType(draft.functionTypeIndices[functionIndex] ?? 0, offset);
}

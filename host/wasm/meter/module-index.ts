// What metering must know of a module besides its code: signatures, where bodies are, and every place
// outside of code that names a function by index. Reads what the inspection has read and accepted.

import { BinaryReader } from "../binary-reader.ts";
import { InstructionDecoder } from "../instructions.ts";
import { type Section, sectionId } from "../sections.ts";
import { readReferenceType, readValueType, unbounded } from "../value-types.ts";
import { opcode } from "./opcode.ts";

export type Signature = {
  readonly paramCount: number;
  readonly resultCount: number;
  /** The types as they stand in the module. */
  readonly params: Uint8Array;
  readonly results: Uint8Array;
};

/** A function index in the bytes: where it begins and ends, and its value. */
export type FunctionReference = { readonly start: number; readonly end: number; readonly index: number };

export class ModuleIndex {
  readonly bytes: Uint8Array;
  readonly importedFunctions: number;
  /** Type index of every function, imports first. */
  readonly functionTypes: number[] = [];
  /** Start and end of each body of a defined function, in turn. */
  readonly bodies: number[] = [];
  /** By section id: references to functions in tables, globals, exports, start and elements. */
  readonly references = new Map<number, FunctionReference[]>();

  /** Exported functions of the upload. */
  exportedFunctions: number[] = [];
  /** Whether a table, or a global that holds a reference, is imported, or a table exported. */
  sharesReferences = false;

  private readonly typeStarts: number[] = [];
  private readonly signatures = new Map<number, Signature>();
  private readonly decoder: InstructionDecoder;

  constructor(bytes: Uint8Array, sections: readonly Section[]) {
    this.bytes = bytes;
    this.decoder = new InstructionDecoder(bytes);
    let importedFunctions = 0;
    for (const section of sections) {
      if (section.id === sectionId.code) this.readBodies(section);
      else if (section.id !== sectionId.custom) this.readSection(section);
      if (section.id === sectionId.import) importedFunctions = this.functionTypes.length;
    }
    this.importedFunctions = importedFunctions;
  }

  /** The signature of a type index. */
  signature(typeIndex: number): Signature {
    const known = this.signatures.get(typeIndex);
    if (known !== undefined) return known;
    const reader = new BinaryReader(this.bytes, this.typeStarts[typeIndex]);
    const params = readTypes(reader);
    const results = readTypes(reader);
    const signature = {
      paramCount: params.count,
      resultCount: results.count,
      params: params.bytes,
      results: results.bytes,
    };
    this.signatures.set(typeIndex, signature);
    return signature;
  }

  /** The signature of a function. */
  signatureOf(functionIndex: number): Signature {
    return this.signature(this.functionTypes[functionIndex] as number);
  }

  private readSection(section: Section): void {
    const reader = new BinaryReader(this.bytes, section.contentStart, section.end);
    const found: FunctionReference[] = [];
    switch (section.id) {
      case sectionId.type:
        this.readTypes(reader);
        break;
      case sectionId.import:
        this.readImports(reader);
        break;
      case sectionId.function:
        for (let left = reader.u32(); left > 0; left -= 1) this.functionTypes.push(reader.u32());
        break;
      case sectionId.table:
        this.readTables(reader, found);
        break;
      case sectionId.global:
        for (let left = reader.u32(); left > 0; left -= 1) {
          readValueType(reader, this.decoder);
          reader.skip(1);
          this.readExpression(reader, found);
        }
        break;
      case sectionId.export:
        if (readExports(reader, found)) this.sharesReferences = true;
        this.exportedFunctions = found.map(({ index }) => index);
        break;
      case sectionId.start:
        found.push(readReference(reader));
        break;
      case sectionId.element:
        for (let left = reader.u32(); left > 0; left -= 1) this.readSegment(reader, found);
        break;
      default:
    }
    if (found.length > 0) this.references.set(section.id, found);
  }

  private readTypes(reader: BinaryReader): void {
    for (let left = reader.u32(); left > 0; left -= 1) {
      reader.skip(1);
      this.typeStarts.push(reader.position);
      readTypes(reader);
      readTypes(reader);
    }
  }

  private readImports(reader: BinaryReader): void {
    for (let left = reader.u32(); left > 0; left -= 1) {
      reader.skip(reader.u32());
      reader.skip(reader.u32());
      const kind = reader.u8();
      if (kind === 0) this.functionTypes.push(reader.u32());
      else if (kind === 1) {
        this.sharesReferences = true;
        readTableType(reader, this.decoder);
      } else if (kind === 2) skipLimits(reader);
      else if (kind === 3) {
        if (readValueType(reader, this.decoder).includes("ref")) this.sharesReferences = true;
        reader.skip(1);
      } else {
        reader.skip(1);
        reader.u32();
      }
    }
  }

  private readTables(reader: BinaryReader, found: FunctionReference[]): void {
    for (let left = reader.u32(); left > 0; left -= 1) {
      const initialized = this.bytes[reader.position] === 0x40;
      if (initialized) reader.skip(2);
      readTableType(reader, this.decoder);
      if (initialized) this.readExpression(reader, found);
    }
  }

  /** The eight forms of a segment (5.5.12), as `segments.ts` reads them. */
  private readSegment(reader: BinaryReader, found: FunctionReference[]): void {
    const flags = reader.u32();
    const isActive = (flags & 1) === 0;
    const hasExpressions = (flags & 4) !== 0;
    if (isActive && (flags & 2) !== 0) reader.u32();
    if (isActive) this.readExpression(reader, found);
    if ((flags & 3) !== 0) {
      if (hasExpressions) readReferenceType(reader, this.decoder);
      else reader.skip(1);
    }
    for (let left = reader.u32(); left > 0; left -= 1) {
      if (hasExpressions) this.readExpression(reader, found);
      else found.push(readReference(reader));
    }
  }

  private readExpression(reader: BinaryReader, found: FunctionReference[]): void {
    const { decoder } = this;
    decoder.start(reader.position, reader.end);
    while (decoder.next()) {
      if (decoder.opcode !== opcode.refFunc) continue;
      found.push({ start: decoder.offset + 1, end: decoder.position, index: decoder.index });
    }
    reader.position = decoder.position;
  }

  private readBodies(section: Section): void {
    const reader = new BinaryReader(this.bytes, section.contentStart, section.end);
    for (let left = reader.u32(); left > 0; left -= 1) {
      const size = reader.u32();
      this.bodies.push(reader.position, reader.position + size);
      reader.skip(size);
    }
  }
}

function readTypes(reader: BinaryReader): { count: number; bytes: Uint8Array } {
  const count = reader.u32();
  const start = reader.position;
  for (let left = count; left > 0; left -= 1) readValueType(reader, { features: 0, bounds: unbounded });
  return { count, bytes: reader.bytes.subarray(start, reader.position) };
}

/** True when a table or a global is exported, which the host could write references into. */
function readExports(reader: BinaryReader, found: FunctionReference[]): boolean {
  let shares = false;
  for (let left = reader.u32(); left > 0; left -= 1) {
    reader.skip(reader.u32());
    const kind = reader.u8();
    if (kind === 0) found.push(readReference(reader));
    else reader.u32();
    if (kind === 1) shares = true;
  }
  return shares;
}

function readReference(reader: BinaryReader): FunctionReference {
  const start = reader.position;
  const index = reader.u32();
  return { start, end: reader.position, index };
}

function readTableType(reader: BinaryReader, marks: InstructionDecoder): void {
  readReferenceType(reader, marks);
  skipLimits(reader);
}

function skipLimits(reader: BinaryReader): void {
  const flags = reader.u8();
  reader.u32();
  if ((flags & 1) !== 0) reader.u32();
}

// What has been read of a module so far: the section readers fill it, `inspect.ts` makes the
// inspection from it. It also holds the checks every reader needs: a refused feature, a size.

import { type LimitName, limits } from "../limits.ts";
import { BinaryReader } from "./binary-reader.ts";
import { refusedFeatures } from "./features.ts";
import type { FunctionType, ModuleExport, ModuleImport, ModuleMemory, ModuleTable } from "./inspection.ts";
import { malformed, overLimit, unsupported } from "./read-fault.ts";
import { checkIndex, type IndexBounds, readValueType } from "./value-types.ts";

/** In `typeOffsets`, for a type that is no function's. */
export const noFunctionType = -1;

export class ModuleDraft {
  readonly bytes: Uint8Array;
  /** Feature bits that are refused. */
  readonly refused: number;
  /** Feature bits met so far. */
  features = 0;
  /** Sizes of index spaces, as far as they are declared. */
  readonly bounds: IndexBounds = { types: 0, functions: 0, globals: 0 };
  /** Where each function type's parameters begin; they are spelled out only when asked for. */
  readonly typeOffsets: number[] = [];
  readonly parameterCounts: number[] = [];
  /** Type index of every function, imports first. */
  readonly functionTypeIndices: number[] = [];
  readonly imports: ModuleImport[] = [];
  readonly exports: ModuleExport[] = [];
  readonly memories: ModuleMemory[] = [];
  readonly tables: ModuleTable[] = [];
  importedFunctions = 0;
  importedGlobals = 0;
  globals = 0;
  /** Global types read so far, imports first. */
  globalsRead = 0;
  readonly mutableGlobals: { readonly index: number; readonly valueType: string }[] = [];
  tags = 0;
  elementSegments = 0;
  dataSegments = 0;
  /** Elements of all element segments, and instructions of all constant expressions, read so far. */
  segmentElements = 0;
  constantInstructions = 0;
  startFunction: number | null = null;
  bodies = 0;
  usesMemoryGrow = false;
  /** The function whose body is being read, for the refusal. */
  functionIndex: number | null = null;

  private readonly typesSpelled = new Map<number, FunctionType>();

  constructor(bytes: Uint8Array, refused: number = refusedFeatures) {
    this.bytes = bytes;
    this.refused = refused;
  }

  get definedFunctions(): number {
    return this.functionTypeIndices.length - this.importedFunctions;
  }

  /** Throws when a feature met so far is refused; `what` and `offset` say where it was met. */
  checkFeatures(what: string, offset: number): void {
    if ((this.features & this.refused) !== 0) throw unsupported(this.features & this.refused, what, offset);
  }

  /** The signature of a type index. Throws a ReadFault when there is no such type. */
  functionType(typeIndex: number, offset: number): FunctionType {
    const known = this.typesSpelled.get(typeIndex);
    if (known !== undefined) return known;
    checkIndex(typeIndex, this.typeOffsets.length, "type", offset);
    const start = this.typeOffsets[typeIndex];
    if (start === noFunctionType) throw malformed(`type ${typeIndex} is no function type`, offset);
    const reader = new BinaryReader(this.bytes, start);
    const spelled = { params: this.spell(reader), results: this.spell(reader) };
    this.typesSpelled.set(typeIndex, spelled);
    return spelled;
  }

  private spell(reader: BinaryReader): string[] {
    const names: string[] = [];
    for (let count = reader.count(); count > 0; count -= 1) names.push(readValueType(reader, this));
    return names;
  }
}

/** Throws when `count` of `noun` ("types") is over the limit, before anything is done with the count. */
export function checkCount(count: number, limitName: LimitName, noun: string, offset: number): void {
  if (count > limits[limitName]) throw overLimit(`there are ${count} ${noun}`, limitName, offset);
}

/** Reads the length of a section's vector, as `BinaryReader.count`, and checks it as `checkCount`. */
export function readCount(
  reader: BinaryReader,
  elementBytesMin: number,
  limitName: LimitName,
  noun: string,
): number {
  const offset = reader.position;
  const count = reader.count(elementBytesMin);
  checkCount(count, limitName, noun, offset);
  return count;
}

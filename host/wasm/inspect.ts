// Reads an upload once, whole, and says what the module imports, exports, declares and uses, or
// refuses it. Called by the deployer on the uploaded bytes before V8 sees them. It is no validator:
// V8 checks types afterwards, in a throw-away process; here everything must be readable and containable.

import { BinaryReader } from "./binary-reader.ts";
import { readCodeSection } from "./code-section.ts";
import {
  readAnyMemories,
  readExportSection,
  readFunctionSection,
  readGlobalSection,
  readImportSection,
  readMemorySection,
  readStartSection,
  readTableSection,
  readTagSection,
} from "./declarations.ts";
import { feature, featureNames, refusedFeatures, refusedWhenMetered } from "./features.ts";
import type { ModuleDeclarations, ModuleInspection } from "./inspection.ts";
import { InstructionDecoder } from "./instructions.ts";
import { ModuleDraft } from "./module-draft.ts";
import { functionName } from "./name-section.ts";
import { malformed, ReadFault } from "./read-fault.ts";
import { WasmRefusal } from "./refusal.ts";
import { readSections, type Section, sectionId, sectionName } from "./sections.ts";
import { readDataCountSection, readDataSection, readElementSection } from "./segments.ts";
import { readEveryType, readTypeSection } from "./type-section.ts";
import { foreignUpload } from "./upload-kind.ts";
import { unbounded } from "./value-types.ts";

export type { ModuleDeclarations, ModuleInspection } from "./inspection.ts";
export { WasmRefusal } from "./refusal.ts";

export type InspectOptions = {
  /** Whether the module will run metered (`prepare.ts`), which lets tail calls in; default false. */
  readonly metered?: boolean;
};

type SectionReader = (reader: BinaryReader, draft: ModuleDraft, decoder: InstructionDecoder) => void;

const sectionReaders: ReadonlyMap<number, SectionReader> = new Map([
  [sectionId.type, readTypeSection],
  [sectionId.import, readImportSection],
  [sectionId.function, readFunctionSection],
  [sectionId.table, readTableSection],
  [sectionId.memory, readMemorySection],
  [sectionId.tag, readTagSection],
  [sectionId.global, readGlobalSection],
  [sectionId.export, readExportSection],
  [sectionId.start, readStartSection],
  [sectionId.element, readElementSection],
  [sectionId.dataCount, readDataCountSection],
  [sectionId.code, readCodeSection],
  [sectionId.data, readDataSection],
]);

/** What it takes to know what a module asks for and offers, whatever else is in it. */
const declarationReaders: ReadonlyMap<number, SectionReader> = new Map([
  [sectionId.type, readEveryType],
  [sectionId.import, readImportSection],
  [sectionId.function, readFunctionSection],
  [sectionId.memory, readAnyMemories],
  [sectionId.export, readExportSection],
]);

/**
 * Inspects a core WebAssembly module (spec: core 3.0, chapter 5). Time and memory are linear in its
 * size: about a second for 64 MiB. Throws `WasmRefusal`, nothing else.
 */
export function inspectModule(bytes: Uint8Array, options: InspectOptions = {}): ModuleInspection {
  const draft = new ModuleDraft(bytes, options.metered === true ? refusedWhenMetered : refusedFeatures);
  const sections = readInto(draft, sectionReaders, () => {
    if (draft.bodies !== draft.definedFunctions) {
      throw malformed(`there are ${draft.bodies} bodies of ${draft.definedFunctions} functions`, null);
    }
    // V8 refuses it too, but validates bodies on several threads at once and does not always see it.
    if ((draft.features & mixedExceptions) === mixedExceptions) {
      throw malformed("it has legacy exception instructions beside the newer ones", null);
    }
  });
  return inspection(draft, sections);
}

/**
 * Reads what a module declares that is to run as it is, past all that `inspectModule` refuses: imports,
 * exports, memories. Nothing is said of its code. Throws `WasmRefusal`, nothing else.
 */
export function inspectDeclarations(bytes: Uint8Array): ModuleDeclarations {
  const draft = new ModuleDraft(bytes, noFeatures);
  // The section that declares them is passed over; nothing is appended to this module.
  draft.bounds.globals = unbounded.globals;
  readInto(draft, declarationReaders);
  const { imports, exports, memories } = draft;
  return { imports, exports, memories };
}

/** Reads the sections that have a reader; a fault leaves as a refusal. */
function readInto(
  draft: ModuleDraft,
  readers: ReadonlyMap<number, SectionReader>,
  check: () => void = () => {},
): readonly Section[] {
  let sections: readonly Section[] = [];
  let sectionRead: Section | null = null;
  try {
    const foreign = foreignUpload(draft.bytes);
    if (foreign !== null) throw foreign;
    sections = readSections(draft.bytes);
    const decoder = new InstructionDecoder(draft.bytes, draft.bounds);
    for (const section of sections) {
      sectionRead = section;
      readSection(section, readers.get(section.id), draft, decoder);
    }
    sectionRead = null;
    check();
    return sections;
  } catch (error) {
    if (error instanceof ReadFault) throw refusal(error, draft, sections, sectionRead);
    throw error;
  }
}

function readSection(
  section: Section,
  read: SectionReader | undefined,
  draft: ModuleDraft,
  decoder: InstructionDecoder,
): void {
  if (read === undefined) return;
  const reader = new BinaryReader(draft.bytes, section.contentStart, section.end);
  read(reader, draft, decoder);
  if (reader.remaining > 0) {
    throw malformed(`${reader.remaining} bytes are left over`, reader.position);
  }
}

function refusal(
  fault: ReadFault,
  draft: ModuleDraft,
  sections: readonly Section[],
  section: Section | null,
): WasmRefusal {
  const { code, feature, offset, wanted } = fault;
  const { functionIndex } = draft;
  const action = code === "invalid_module" ? "Cannot read the module" : "Cannot accept the module";
  let where = "";
  if (functionIndex !== null) {
    const name = functionName(draft.bytes, sections, functionIndex);
    where += ` in function ${functionIndex}${name === null ? "" : ` "${name}"`}`;
  } else if (section !== null) {
    where += ` in the ${sectionName(section.id)}`;
  }
  if (offset !== null) where += ` at byte ${offset}`;
  return new WasmRefusal(code, `${action}: ${fault.message}${where}, ${wanted}`, {
    feature,
    functionIndex,
    offset,
  });
}

function inspection(draft: ModuleDraft, sections: readonly Section[]): ModuleInspection {
  return {
    imports: draft.imports,
    exports: draft.exports,
    memories: draft.memories,
    tables: draft.tables,
    startFunction: draft.startFunction,
    counts: {
      types: draft.typeOffsets.length,
      imports: draft.imports.length,
      importedFunctions: draft.importedFunctions,
      importedGlobals: draft.importedGlobals,
      functions: draft.definedFunctions,
      globals: draft.globals,
      tags: draft.tags,
      exports: draft.exports.length,
      elementSegments: draft.elementSegments,
      dataSegments: draft.dataSegments,
    },
    customSections: sections
      .filter(({ id }) => id === sectionId.custom)
      .map(({ name, start, end }) => ({ name, bytes: end - start })),
    features: featureNames(draft.features),
    usesMemoryGrow: draft.usesMemoryGrow,
    resettableGlobals: resettableGlobals(draft),
  };
}

const noFeatures = 0;

const mixedExceptions = feature.legacyExceptions | feature.newExceptions;

const numberTypes = new Set(["i32", "i64", "f32", "f64"]);
/** With more of them setting each back is dearer than a new instance. */
const resettableGlobalsMax = 1_000;
/** What makes state beside memory, globals and tables: objects of the garbage-collected heap. */
const heapFeatures = feature.gc | feature.lastingWrite | feature.stringref;

function resettableGlobals({ features, mutableGlobals, importedGlobals, memories }: ModuleDraft) {
  const settable =
    (features & heapFeatures) === 0 &&
    memories.length <= 1 &&
    mutableGlobals.length <= resettableGlobalsMax &&
    mutableGlobals.every(({ index, valueType }) => index >= importedGlobals && numberTypes.has(valueType));
  return settable ? mutableGlobals.map(({ index }) => index) : null;
}

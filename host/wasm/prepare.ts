// Makes the form of a module that workers compile: the host supplies its memory, and a refused
// memory.grow leaves a trace. Pure and repeatable: the uploaded bytes are kept, this form is derived.
// Everything is appended to its section, so no index of the guest changes; that none of them points at
// what is appended has been checked by `inspect.ts`.

import { BinaryReader } from "./binary-reader.ts";
import { BinaryWriter, nameBytes, u32Bytes } from "./binary-writer.ts";
import type { ModuleInspection } from "./inspection.ts";
import { appendBodies, growBody, growType, refusedGlobal } from "./memory-grow.ts";
import { headerBytes, readSections, type Section, sectionId, sectionOrder } from "./sections.ts";

/** Import module name under which the host supplies the memory. */
export const hostModuleName = "mayfly:host";
/** Field name of the memory under `hostModuleName`. */
export const hostMemoryName = "memory";
/** Export name of the i32 global that is 0 and becomes 1 once a memory.grow was refused. */
export const growRefusedName = "mayfly:grow_refused";

const memoryKind = 2;
const globalKind = 3;

/**
 * Custom sections that are left out: they hold offsets of code, which moves when bodies are rewritten.
 * DWARF would name wrong lines; V8 reads branch hints (metadata.code.*) by offset.
 */
const droppedPrefixes = [".debug_", "metadata.code."];

type Growth = { readonly functionIndex: number; readonly globalIndex: number; readonly typeIndex: number };

/** What is appended: entries by section id. */
type Plan = {
  readonly suppliesMemory: boolean;
  readonly growth: Growth | null;
  readonly entries: ReadonlyMap<number, Uint8Array>;
};

/**
 * The derived form of a module that `inspectModule` accepted as `inspection`.
 *
 * A memory the module defines becomes the import `hostModuleName`.`hostMemoryName` with the same
 * minimum (pages of 64 KiB) and no maximum: whoever supplies it decides the maximum. If memory.grow is
 * used, the i32 global `growRefusedName` is exported. The result shares no bytes with the upload.
 */
export function prepareModule(bytes: Uint8Array, inspection: ModuleInspection): Uint8Array<ArrayBuffer> {
  const plan = planFor(inspection);
  const out = new BinaryWriter().append(bytes.subarray(0, headerBytes));
  let rankBefore = -1;
  for (const section of readSections(bytes)) {
    if (section.id === sectionId.custom) {
      if (!isDropped(section)) out.append(bytes.subarray(section.start, section.end));
      continue;
    }
    const rank = sectionOrder.indexOf(section.id);
    for (const id of sectionOrder.slice(rankBefore + 1, rank)) appendMissing(id, plan, out);
    rankBefore = rank;
    appendSection(bytes, section, plan, out);
  }
  return out.finish();
}

function planFor({ memories, counts, usesMemoryGrow }: ModuleInspection): Plan {
  const entries = new Map<number, Uint8Array>();
  const memory = memories[0];
  const suppliesMemory = memory !== undefined && !memory.imported;
  if (suppliesMemory) entries.set(sectionId.import, memoryImport(memory.initialPages));
  if (!usesMemoryGrow) return { suppliesMemory, growth: null, entries };

  const growth = {
    functionIndex: counts.importedFunctions + counts.functions,
    globalIndex: counts.importedGlobals + counts.globals,
    typeIndex: counts.types,
  };
  entries.set(sectionId.type, growType);
  entries.set(sectionId.function, u32Bytes(growth.typeIndex));
  entries.set(sectionId.global, refusedGlobal);
  entries.set(sectionId.export, globalExport(growRefusedName, growth.globalIndex));
  entries.set(sectionId.code, growBody(growth.globalIndex));
  return { suppliesMemory, growth, entries };
}

function memoryImport(minimumPages: number): Uint8Array {
  return new BinaryWriter()
    .append(nameBytes(hostModuleName))
    .append(nameBytes(hostMemoryName))
    .u8(memoryKind, 0x00)
    .u32(minimumPages)
    .finish();
}

function globalExport(name: string, globalIndex: number): Uint8Array {
  return new BinaryWriter().append(nameBytes(name)).u8(globalKind).u32(globalIndex).finish();
}

function appendSection(bytes: Uint8Array, section: Section, plan: Plan, out: BinaryWriter): void {
  if (section.id === sectionId.memory && plan.suppliesMemory) return;
  const entry = plan.entries.get(section.id);
  if (entry === undefined) {
    out.append(bytes.subarray(section.start, section.end));
    return;
  }
  const reader = new BinaryReader(bytes, section.contentStart, section.end);
  const count = reader.u32();
  const content = new BinaryWriter().u32(count + 1);
  if (section.id === sectionId.code && plan.growth !== null) {
    appendBodies(reader, count, plan.growth.functionIndex, content);
  } else {
    content.append(bytes.subarray(reader.position, section.end));
  }
  out.section(section.id, content.append(entry));
}

function appendMissing(id: number, plan: Plan, out: BinaryWriter): void {
  const entry = plan.entries.get(id);
  if (entry !== undefined) out.section(id, new BinaryWriter().u32(1).append(entry));
}

function isDropped({ name }: Section): boolean {
  return droppedPrefixes.some((prefix) => name.startsWith(prefix));
}

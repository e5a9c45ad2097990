// Makes the form of a module that workers compile: the host supplies its memory, a refused memory.grow
// leaves a trace, and, when asked for, the guest is metered (meter/meter.ts). Pure and repeatable: the
// uploaded bytes are kept, this form is derived. Everything is appended to its section, so of the
// guest's indices only those of functions change, and those only by metering; that none of them points
// at what is appended has been checked by `inspect.ts`.

import {
  globalPrefix,
  growRefusedName,
  hostMemoryName,
  hostModuleName,
  startName,
} from "../prepared-names.ts";
import { Additions } from "./additions.ts";
import { BinaryReader } from "./binary-reader.ts";
import { BinaryWriter, nameBytes, u32Bytes } from "./binary-writer.ts";
import type { ModuleInspection } from "./inspection.ts";
import { appendBodies, growBody, growType } from "./memory-grow.ts";
import { Metering, replaceReferences } from "./meter/meter.ts";
import { renamedSection } from "./meter/names.ts";
import { headerBytes, readSections, type Section, sectionId, sectionOrder } from "./sections.ts";

export type PrepareOptions = {
  /** Whether to insert checks, as `checkName` says; default false. */
  readonly meter?: boolean;
  /** Whether its imports may be code of other guests, whose work is no host's; default false. */
  readonly callsGuests?: boolean;
};

/**
 * Custom sections that are left out: they hold offsets of code, which moves when bodies are rewritten.
 * DWARF would name wrong lines; V8 reads branch hints (metadata.code.*) by offset.
 */
const droppedPrefixes = [".debug_", "metadata.code."];

const branchHintName = "metadata.code.branch_hint";

/** What is to be done: additions, and what happens to the guest's own sections. */
type Plan = {
  readonly suppliesMemory: boolean;
  readonly growFunction: number;
  readonly additions: Additions;
  readonly metering: Metering | null;
};

/**
 * The derived form of a module that `inspectModule` accepted as `inspection`.
 *
 * A memory the module defines becomes the import `hostModuleName`.`hostMemoryName` with the same
 * minimum (pages of 64 KiB) and no maximum: whoever supplies it decides the maximum. If memory.grow is
 * used, the i32 global `growRefusedName` is exported. Of a module whose instances can be reset the
 * mutable globals are exported, `globalPrefix` and the index. A metered module imports `checkName`,
 * `pauseName` and, if it uses memory.grow, `growName` too, and exports its start function as `startName`
 * in place of having it run. The result shares no bytes with the upload. Metering throws a WasmRefusal for a body that has no room for its locals, and for a
 * tail call whose results do not fit; nothing else is thrown.
 */
export function prepareModule(
  bytes: Uint8Array,
  inspection: ModuleInspection,
  options: PrepareOptions = {},
): Uint8Array<ArrayBuffer> {
  const sections = readSections(bytes);
  const plan = planFor(bytes, sections, inspection, options);
  const out = new BinaryWriter().append(bytes.subarray(0, headerBytes));
  let rankBefore = -1;
  for (const section of sections) {
    if (section.id === sectionId.custom) {
      appendCustom(bytes, section, plan, out);
      continue;
    }
    const rank = sectionOrder.indexOf(section.id);
    for (const id of sectionOrder.slice(rankBefore + 1, rank)) appendMissing(id, plan, out);
    rankBefore = rank;
    appendSection(bytes, section, plan, out);
  }
  for (const id of sectionOrder.slice(rankBefore + 1)) appendMissing(id, plan, out);
  return out.finish();
}

function planFor(
  bytes: Uint8Array,
  sections: readonly Section[],
  { memories, counts, usesMemoryGrow, startFunction, resettableGlobals }: ModuleInspection,
  { meter = false, callsGuests = false }: PrepareOptions,
): Plan {
  const metering = meter ? new Metering(bytes, sections, { grows: usesMemoryGrow, callsGuests }) : null;
  const additions = new Additions(counts, metering?.imports ?? 0);
  const memory = memories[0];
  const suppliesMemory = memory !== undefined && !memory.imported;
  if (suppliesMemory) additions.importMemory(hostModuleName, hostMemoryName, memory.initialPages);
  let growFunction = -1;
  if (usesMemoryGrow) {
    const refusedGlobal = additions.global(Uint8Array.of(0));
    growFunction = additions.function(
      additions.type(growType),
      growBody(refusedGlobal, metering?.askFunction ?? null),
    );
    additions.exportGlobal(growRefusedName, refusedGlobal);
  }
  for (const index of resettableGlobals ?? []) additions.exportGlobal(`${globalPrefix}${index}`, index);
  metering?.append(additions);
  if (metering !== null && startFunction !== null) {
    additions.exportFunction(startName, metering.referenceTargets[startFunction] as number);
  }
  return { suppliesMemory, growFunction, additions, metering };
}

function appendSection(bytes: Uint8Array, section: Section, plan: Plan, out: BinaryWriter): void {
  const { additions, metering } = plan;
  if (section.id === sectionId.memory && plan.suppliesMemory) return;
  if (section.id === sectionId.start && metering !== null) return;
  const isChanged = metering?.isNeeded === true && changesContent(section, metering);
  const added = additions.content(section.id);
  if (added === null && !isChanged) {
    out.append(bytes.subarray(section.start, section.end));
    return;
  }
  const reader = new BinaryReader(bytes, section.contentStart, section.end);
  const count = reader.u32();
  const content = new BinaryWriter().u32(count + additions.count(section.id));
  if (isChanged) appendChanged(bytes, section, reader.position, plan, metering, content, out);
  else if (section.id === sectionId.code && plan.growFunction >= 0) {
    appendBodies(reader, count, plan.growFunction, content);
  } else content.append(bytes.subarray(reader.position, section.end));
  if (added !== null) content.append(added.finish());
  out.section(section.id, content);
}

function changesContent(section: Section, metering: Metering): boolean {
  const { id } = section;
  return id === sectionId.function || id === sectionId.code || metering.module.references.has(id);
}

/** The guest's entries of a section, as metering has them. */
function appendChanged(
  bytes: Uint8Array,
  section: Section,
  start: number,
  plan: Plan,
  metering: Metering,
  content: BinaryWriter,
  out: BinaryWriter,
): void {
  if (section.id === sectionId.function) {
    for (const typeIndex of metering.typeIndices) content.append(u32Bytes(typeIndex));
  } else if (section.id === sectionId.code) {
    const { code, hints } = metering.bodies(plan.growFunction);
    content.append(code.finish());
    out.section(
      sectionId.custom,
      new BinaryWriter().append(nameBytes(branchHintName)).append(hints.finish()),
    );
  } else {
    const references = metering.module.references.get(section.id) ?? [];
    content.append(replaceReferences(bytes, start, section.end, references, metering.referenceTargets));
  }
}

function appendMissing(id: number, { additions }: Plan, out: BinaryWriter): void {
  const added = additions.content(id);
  if (added === null) return;
  out.section(id, new BinaryWriter().u32(additions.count(id)).append(added.finish()));
}

function appendCustom(bytes: Uint8Array, section: Section, { metering }: Plan, out: BinaryWriter): void {
  if (droppedPrefixes.some((prefix) => section.name.startsWith(prefix))) return;
  if (section.name === "name" && metering?.isNeeded === true) {
    out.append(renamedSection(bytes, section, metering.renamed).finish());
  } else out.append(bytes.subarray(section.start, section.end));
}

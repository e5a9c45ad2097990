// Cuts a module into its sections: headers only, no content but the names of custom sections. Checks
// the order and that each section lies within the bytes. Used by `inspect.ts` and `prepare.ts`.
// Spec: WebAssembly core 3.0, section 5.5.

import { limits } from "../limits.ts";
import { BinaryReader } from "./binary-reader.ts";
import { feature } from "./features.ts";
import { hex, malformed, overLimit, unsupported } from "./read-fault.ts";

export const sectionId = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
  tag: 13,
} as const;

const { type, table, memory, tag, global, start, element, dataCount, code, data } = sectionId;

/** Ids in the order the sections must have: tag and data count stand before their number. */
export const sectionOrder: readonly number[] = [
  type,
  sectionId.import,
  sectionId.function,
  table,
  memory,
  tag,
  global,
  sectionId.export,
  start,
  element,
  dataCount,
  code,
  data,
];

export type Section = {
  readonly id: number;
  /** The name of a custom section, else "". */
  readonly name: string;
  /** Offset of the id byte. */
  readonly start: number;
  /** Offset of the content; in a custom section, of what follows its name. */
  readonly contentStart: number;
  /** Offset just past the section. */
  readonly end: number;
};

/** Bytes of magic number and version. */
export const headerBytes = 8;

const stringrefSection = 14;

/** The sections in the order they stand. Throws a ReadFault. */
export function readSections(bytes: Uint8Array): Section[] {
  const reader = new BinaryReader(bytes, headerBytes);
  const sections: Section[] = [];
  let rankBefore = -1;
  let customBytes = 0;
  let customs = 0;
  while (reader.remaining > 0) {
    const section = readSection(reader);
    sections.push(section);
    if (section.id !== sectionId.custom) {
      rankBefore = checkOrder(section, rankBefore);
      continue;
    }
    customs += 1;
    customBytes += section.end - section.start;
    checkCustom(customs, customBytes, section.start);
  }
  return sections;
}

/** "code section", "custom section". */
export function sectionName(id: number): string {
  const name = Object.entries(sectionId).find(([, value]) => value === id)?.[0] ?? hex(id);
  return `${name === "dataCount" ? "data count" : name} section`;
}

function readSection(reader: BinaryReader): Section {
  const start = reader.position;
  const id = reader.u8();
  if (id === stringrefSection) throw unsupported(feature.stringref, `section ${hex(id)}`, start);
  if (id > sectionId.tag) throw malformed(`there is a section ${hex(id)}`, start);
  const length = reader.u32();
  if (length > reader.remaining) {
    const found = `the ${sectionName(id)} is ${length} bytes long with ${reader.remaining} left`;
    throw malformed(found, start);
  }
  const content = reader.sub(length);
  const name = id === sectionId.custom ? content.name() : "";
  return { id, name, start, contentStart: content.position, end: content.end };
}

function checkOrder(section: Section, rankBefore: number): number {
  const rank = sectionOrder.indexOf(section.id);
  if (rank > rankBefore) return rank;
  const found = rank === rankBefore ? "repeated" : "out of order";
  throw malformed(`the ${sectionName(section.id)} is ${found}`, section.start);
}

function checkCustom(customs: number, customBytes: number, offset: number): void {
  if (customs > limits.wasmCustomSectionsMax) {
    throw overLimit(`there are ${customs} or more custom sections`, "wasmCustomSectionsMax", offset);
  }
  if (customBytes > limits.wasmCustomBytesMax) {
    const found = `custom sections together have ${customBytes} bytes or more`;
    throw overLimit(found, "wasmCustomBytesMax", offset);
  }
}

// Forms of a module for measurements (`mayfly bench`): copies that behave as the original and are
// compiled anew, and one whose calls do not end. Pure functions over bytes; indices of the guest stay
// as they are, because everything is appended.

import { BinaryReader } from "./binary-reader.ts";
import { BinaryWriter, u32Bytes } from "./binary-writer.ts";
import { inspectModule } from "./inspect.ts";
import { headerBytes, readSections, type Section, sectionId, sectionOrder } from "./sections.ts";

/** The content of a section in place of what was there; null where the module has no such section. */
type Change = (section: BinaryReader | null) => BinaryWriter;

/**
 * The same module with one more constant global, whose value is `number` (an unsigned 32-bit integer):
 * nothing can tell but V8, which shares compiled code between modules of equal bytes. All copies of a
 * module have the same length, and the constant stays when `prepare.ts` rewrites them. Throws a
 * ReadFault for what is no module.
 */
export function distinctCopy(bytes: Uint8Array, number: number): Uint8Array<ArrayBuffer> {
  const immutableI32 = [0x7f, 0x00];
  const [i32Const, end] = [0x41, 0x0b];
  const entry = Uint8Array.of(...immutableI32, i32Const, ...paddedI32(number), end);
  return changed(bytes, new Map([[sectionId.global, appending(entry)]]));
}

/**
 * The same module with an export that, once it has done what it did, never returns: it is an instance
 * that lives until it is stopped. Null where no function of the module's own has that name.
 */
export function endlessCopy(bytes: Uint8Array, exportName: string): Uint8Array<ArrayBuffer> | null {
  const { exports, counts } = inspectModule(bytes, { metered: true });
  const target = exports.find(({ name, kind }) => name === exportName && kind === "function");
  const own = (target?.index ?? -1) - counts.importedFunctions;
  if (target?.type == null || own < 0) return null;
  const typeIndex = typeIndexOf(bytes, own);
  const endless = counts.importedFunctions + counts.functions;
  const body = endlessBody(target.index, target.type.params.length, target.type.results.length);
  return changed(
    bytes,
    new Map([
      [sectionId.function, appending(u32Bytes(typeIndex))],
      [sectionId.export, exportingInstead(exportName, endless)],
      [sectionId.code, appending(body)],
    ]),
  );
}

/** Calls the function with the parameters, drops its results, and loops. */
function endlessBody(functionIndex: number, params: number, results: number): Uint8Array {
  const [localGet, call, drop, loop, branch, end, unreachable] = [0x20, 0x10, 0x1a, 0x03, 0x0c, 0x0b, 0x00];
  const noResult = 0x40;
  const code = new BinaryWriter().u8(0);
  for (let index = 0; index < params; index += 1) code.u8(localGet).u32(index);
  code.u8(call).u32(functionIndex);
  for (let index = 0; index < results; index += 1) code.u8(drop);
  code.u8(loop, noResult, branch, 0, end, unreachable, end);
  return new BinaryWriter().sized(code).finish();
}

/** The type of the module's own function at `index`. */
function typeIndexOf(bytes: Uint8Array, index: number): number {
  const section = readSections(bytes).find(({ id }) => id === sectionId.function);
  const reader = new BinaryReader(bytes, section?.contentStart, section?.end);
  reader.u32();
  for (let before = 0; before < index; before += 1) reader.u32();
  return reader.u32();
}

function appending(entry: Uint8Array): Change {
  return (section) => {
    if (section === null) return new BinaryWriter().u32(1).append(entry);
    const count = section.u32();
    return new BinaryWriter()
      .u32(count + 1)
      .append(section.bytes.subarray(section.position, section.end))
      .append(entry);
  };
}

/** The export of that name is another function from now on; all others are as they were. */
function exportingInstead(exportName: string, functionIndex: number): Change {
  return (section) => {
    if (section === null) throw new Error("A module that exports a function has exports");
    const count = section.u32();
    const content = new BinaryWriter().u32(count);
    for (let left = count; left > 0; left -= 1) {
      const start = section.position;
      const isIt = section.name() === exportName;
      section.u8();
      const indexStart = section.position;
      section.u32();
      content.append(section.bytes.subarray(start, isIt ? indexStart : section.position));
      if (isIt) content.u32(functionIndex);
    }
    return content;
  };
}

/** The module with some sections changed, and those that it lacks put where they belong. */
function changed(bytes: Uint8Array, changes: ReadonlyMap<number, Change>): Uint8Array<ArrayBuffer> {
  const out = new BinaryWriter().append(bytes.subarray(0, headerBytes));
  const add = (id: number, section: Section | null): void => {
    const change = changes.get(id);
    const content = section && new BinaryReader(bytes, section.contentStart, section.end);
    if (change !== undefined) out.section(id, change(content));
    else if (section !== null) out.append(bytes.subarray(section.start, section.end));
  };
  let rankBefore = -1;
  for (const section of readSections(bytes)) {
    if (section.id === sectionId.custom) {
      out.append(bytes.subarray(section.start, section.end));
      continue;
    }
    const rank = sectionOrder.indexOf(section.id);
    for (const id of sectionOrder.slice(rankBefore + 1, rank)) add(id, null);
    rankBefore = rank;
    add(section.id, section);
  }
  for (const id of sectionOrder.slice(rankBefore + 1)) add(id, null);
  return out.finish();
}

/** A signed LEB128 number of 32 bits in the most bytes it may have, so that all have the same length. */
function paddedI32(value: number): number[] {
  const number = value | 0;
  const low = [0, 7, 14, 21].map((shift) => ((number >> shift) & 0x7f) | 0x80);
  return [...low, (number >> 28) & 0x7f];
}

// The name section of a metered module: functions keep their names under their new indices, and a
// wrapper has the name of what it wraps, so that stack traces read as before. Names of locals and
// labels, which V8 does not show, are left out. A section that cannot be read is left out whole.
// Spec: WebAssembly core 3.0, appendix 7.4.1.

import { BinaryReader } from "../binary-reader.ts";
import { BinaryWriter, nameBytes } from "../binary-writer.ts";
import { ReadFault } from "../read-fault.ts";
import { type Section, sectionId } from "../sections.ts";
import { ByteBuffer } from "./byte-buffer.ts";

const subsection = { functions: 1, locals: 2, labels: 3 } as const;

export type RenamedFunctions = {
  /** By function of the upload: its new index. */
  readonly targets: Int32Array;
  /** Functions of the upload that have a wrapper, and the wrappers' indices, in rising order. */
  readonly wrapped: readonly number[];
  readonly wrappers: Int32Array;
};

/** The section with its header; empty when nothing is left of it. */
export function renamedSection(
  bytes: Uint8Array,
  section: Section,
  functions: RenamedFunctions,
): BinaryWriter {
  const content = new BinaryWriter().append(nameBytes("name"));
  try {
    const reader = new BinaryReader(bytes, section.contentStart, section.end);
    while (reader.remaining > 0) {
      const start = reader.position;
      const id = reader.u8();
      const part = reader.sub(reader.u32());
      if (id === subsection.locals || id === subsection.labels) continue;
      if (id !== subsection.functions) content.append(bytes.subarray(start, reader.position));
      else content.u8(id).sized(functionNames(part, functions));
    }
  } catch (error) {
    if (error instanceof ReadFault) return new BinaryWriter();
    throw error;
  }
  return new BinaryWriter().section(sectionId.custom, content);
}

function functionNames(reader: BinaryReader, functions: RenamedFunctions): BinaryWriter {
  const names = new Map<number, Uint8Array>();
  for (let left = reader.count(2); left > 0; left -= 1) {
    const index = reader.u32();
    const name = reader.sub(reader.u32());
    if (index < functions.targets.length) names.set(index, name.bytes.subarray(name.position, name.end));
  }
  const out = new ByteBuffer();
  let count = 0;
  const write = (index: number, name: Uint8Array): void => {
    out.u32(index);
    out.u32(name.length);
    out.copy(name, 0, name.length);
    count += 1;
  };
  for (const [index, name] of names) write(functions.targets[index] as number, name);
  for (const index of functions.wrapped) {
    const name = names.get(index);
    if (name !== undefined) write(functions.wrappers[index] as number, name);
  }
  return new BinaryWriter().u32(count).append(out.finish());
}

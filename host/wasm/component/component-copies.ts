// Copies of a component for measurements (`mayfly bench`), as ../copies.ts makes them of a module: what V8
// compiles is different in each, and no guest can tell.

import { BinaryReader } from "../binary-reader.ts";
import { BinaryWriter } from "../binary-writer.ts";
import { distinctCopy } from "../copies.ts";
import { malformed } from "../read-fault.ts";
import { headerBytes } from "../sections.ts";
import { wanted } from "./scope.ts";

const coreModuleSection = 1;
const componentSection = 4;
const depthMax = 100;

/** The same component, each of its core modules a `distinctCopy`. Throws a ReadFault for what is none. */
export function distinctComponentCopy(bytes: Uint8Array, number: number, depth = 0): Uint8Array<ArrayBuffer> {
  if (depth > depthMax) throw malformed("components lie within one another too deep", 0, wanted);
  const reader = new BinaryReader(bytes);
  reader.skip(headerBytes);
  const out = new BinaryWriter().append(bytes.subarray(0, headerBytes));
  while (reader.remaining > 0) {
    const id = reader.u8();
    const { position, end } = reader.sub(reader.u32());
    const content = bytes.subarray(position, end);
    out.section(id, new BinaryWriter().append(copyOf(id, content, number, depth)));
  }
  return out.finish();
}

function copyOf(id: number, content: Uint8Array, number: number, depth: number): Uint8Array {
  if (id === coreModuleSection) return distinctCopy(content, number);
  return id === componentSection ? distinctComponentCopy(content, number, depth + 1) : content;
}

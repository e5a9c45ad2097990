// Looks one function's name up in the name section, for messages. The section is advice: whatever is
// wrong with it means only that there is no name. Spec: WebAssembly core 3.0, appendix 7.4.1.

import { printableAscii } from "../printable.ts";
import { BinaryReader } from "./binary-reader.ts";
import { ReadFault } from "./read-fault.ts";
import { type Section, sectionId } from "./sections.ts";

const functionNames = 1;
/** Up to four bytes for each of the 100 characters that are kept. */
const bytesDecoded = 400;

/** The function's name in printable ASCII, at most 100 characters; null when there is none. */
export function functionName(
  bytes: Uint8Array,
  sections: readonly Section[],
  functionIndex: number,
): string | null {
  const section = sections.find(({ id, name }) => id === sectionId.custom && name === "name");
  if (section === undefined) return null;
  try {
    return findName(new BinaryReader(bytes, section.contentStart, section.end), functionIndex);
  } catch (error) {
    if (error instanceof ReadFault) return null;
    throw error;
  }
}

function findName(reader: BinaryReader, functionIndex: number): string | null {
  while (reader.remaining > 0) {
    const id = reader.u8();
    const subsection = reader.sub(reader.u32());
    if (id !== functionNames) continue;
    for (let count = subsection.count(2); count > 0; count -= 1) {
      const index = subsection.u32();
      const name = subsection.sub(subsection.u32());
      if (index === functionIndex) return spell(name);
    }
    return null;
  }
  return null;
}

function spell(name: BinaryReader): string {
  const end = Math.min(name.end, name.position + bytesDecoded);
  return printableAscii(new TextDecoder().decode(name.bytes.subarray(name.position, end)));
}

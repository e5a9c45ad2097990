// Reads the type section: remembers where each function type stands and refuses every other form.
// Spec: WebAssembly core 3.0, section 5.5.4; forms of the proposals behind flags as V8 names them.

import { limits } from "../limits.ts";
import type { BinaryReader } from "./binary-reader.ts";
import { feature } from "./features.ts";
import { type ModuleDraft, readCount } from "./module-draft.ts";
import { hex, malformed, overLimit } from "./read-fault.ts";
import { readValueType } from "./value-types.ts";

const functionForm = 0x60;

const refusedForms: ReadonlyMap<number, number> = new Map([
  [0x5f, feature.gc],
  [0x5e, feature.gc],
  [0x50, feature.gc],
  [0x4f, feature.gc],
  [0x4e, feature.gc],
  [0x4d, feature.customDescriptors],
  [0x4c, feature.customDescriptors],
  [0x65, feature.sharedEverythingThreads],
  [0x5d, feature.stackSwitching],
]);

export function readTypeSection(reader: BinaryReader, draft: ModuleDraft): void {
  const count = readCount(reader, 1, "wasmTypesMax", "types");
  draft.bounds.types = count;
  for (let index = 0; index < count; index += 1) {
    const offset = reader.position;
    const form = reader.u8();
    if (form !== functionForm) {
      const bits = refusedForms.get(form);
      if (bits === undefined) throw malformed(`type ${index} has the form ${hex(form)}`, offset);
      draft.features |= bits;
      draft.checkFeatures(`type ${index} of form ${hex(form)}`, offset);
    }
    draft.typeOffsets.push(reader.position);
    draft.parameterCounts.push(skipTypes(reader, draft, index, "parameters"));
    if (skipTypes(reader, draft, index, "results") > 1) draft.features |= feature.multiValue;
    draft.checkFeatures(`type ${index}`, offset);
  }
}

function skipTypes(reader: BinaryReader, draft: ModuleDraft, index: number, noun: string): number {
  const offset = reader.position;
  const count = reader.count();
  // V8's own bound for parameters and for results (kV8MaxWasmFunctionParams), checked here to name it.
  if (count > limits.wasmSignatureTypesMax) {
    throw overLimit(`type ${index} has ${count} ${noun}`, "wasmSignatureTypesMax", offset);
  }
  for (let left = count; left > 0; left -= 1) readValueType(reader, draft);
  return count;
}

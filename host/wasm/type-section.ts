// Reads the type section: remembers where each function type stands and refuses every other form, or,
// for a module that runs as it is, passes over the garbage-collected ones too.
// Spec: WebAssembly core 3.0, section 5.5.4; forms of the proposals behind flags as V8 names them.

import { limits } from "../limits.ts";
import type { BinaryReader } from "./binary-reader.ts";
import { feature } from "./features.ts";
import { checkCount, type ModuleDraft, noFunctionType, readCount } from "./module-draft.ts";
import { hex, malformed, overLimit, type ReadFault, unsupported } from "./read-fault.ts";
import { readValueType, unbounded } from "./value-types.ts";

const functionForm = 0x60;
const structForm = 0x5f;
const arrayForm = 0x5e;
const subtypeForms: ReadonlySet<number> = new Set([0x50, 0x4f]);
const groupForm = 0x4e;

/** What only a field can be: i16 and i8. */
const packedTypes: ReadonlySet<number> = new Set([0x77, 0x78]);

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
    if (form !== functionForm) throw otherForm(index, form, offset);
    draft.typeOffsets.push(reader.position);
    draft.parameterCounts.push(skipTypes(reader, draft, index, "parameters"));
    if (skipTypes(reader, draft, index, "results") > 1) draft.features |= feature.multiValue;
    draft.checkFeatures(`type ${index}`, offset);
  }
}

/** As `readTypeSection`, but structs, arrays, subtypes and recursive groups (5.3.7 to 5.3.9) may stand in it. */
export function readEveryType(reader: BinaryReader, draft: ModuleDraft): void {
  // A type may name one that comes later in its group; whether there is one is for V8 to say.
  draft.bounds.types = unbounded.types;
  for (let left = readCount(reader, 1, "wasmTypesMax", "types"); left > 0; left -= 1) {
    const isGroup = reader.bytes[reader.position] === groupForm;
    if (isGroup) reader.skip(1);
    for (let inGroup = isGroup ? reader.count() : 1; inGroup > 0; inGroup -= 1) readAnyType(reader, draft);
  }
  draft.bounds.types = draft.typeOffsets.length;
}

function readAnyType(reader: BinaryReader, draft: ModuleDraft): void {
  const index = draft.typeOffsets.length;
  checkCount(index + 1, "wasmTypesMax", "types or more", reader.position);
  const offset = reader.position;
  let form = reader.u8();
  if (subtypeForms.has(form)) {
    for (let supertypes = reader.count(); supertypes > 0; supertypes -= 1) reader.u32();
    form = reader.u8();
  }
  draft.typeOffsets.push(form === functionForm ? reader.position : noFunctionType);
  if (form === functionForm) {
    skipTypes(reader, draft, index, "parameters");
    skipTypes(reader, draft, index, "results");
  } else if (form === structForm) {
    for (let fields = reader.count(2); fields > 0; fields -= 1) skipField(reader, draft);
  } else if (form === arrayForm) skipField(reader, draft);
  else throw otherForm(index, form, offset);
}

/** A storage type and whether it can be changed. */
function skipField(reader: BinaryReader, draft: ModuleDraft): void {
  if (packedTypes.has(reader.bytes[reader.position] ?? 0)) reader.skip(1);
  else readValueType(reader, draft);
  reader.skip(1);
}

/** What is to be said of a type that this reader does not take. */
function otherForm(index: number, form: number, offset: number): ReadFault {
  const bits = refusedForms.get(form);
  if (bits === undefined) return malformed(`type ${index} has the form ${hex(form)}`, offset);
  return unsupported(bits, `type ${index} of form ${hex(form)}`, offset);
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

// Scans the code section: every body, every instruction, once. Marks the features used, refuses
// bodies and instructions that cannot be contained. The hot loop of an inspection.
// Spec: WebAssembly core 3.0, section 5.5.13.

import { limits } from "../limits.ts";
import type { BinaryReader } from "./binary-reader.ts";
import type { InstructionDecoder } from "./instructions.ts";
import type { ModuleDraft } from "./module-draft.ts";
import { malformed, overLimit, unsupported } from "./read-fault.ts";
import { readValueType } from "./value-types.ts";

export const memoryGrowOpcode = 0x40;

export function readCodeSection(reader: BinaryReader, draft: ModuleDraft, decoder: InstructionDecoder): void {
  const countOffset = reader.position;
  const count = reader.count(2);
  if (count !== draft.definedFunctions) {
    throw malformed(`there are ${count} bodies of ${draft.definedFunctions} functions`, countOffset);
  }
  for (let body = 0; body < count; body += 1) {
    draft.functionIndex = draft.importedFunctions + body;
    const offset = reader.position;
    const size = reader.u32();
    if (size > limits.wasmFunctionBytesMax) {
      throw overLimit(`a body has ${size} bytes`, "wasmFunctionBytesMax", offset);
    }
    const start = reader.position;
    reader.skip(size);
    decoder.start(start, reader.position);
    readLocals(decoder, draft);
    scanInstructions(decoder, draft);
  }
  draft.functionIndex = null;
  draft.bodies = count;
}

/** Moves past the declarations of locals: groups of a count and a type. */
export function skipLocals(decoder: InstructionDecoder): void {
  for (let groups = decoder.count(2); groups > 0; groups -= 1) {
    decoder.u32();
    readValueType(decoder, decoder);
  }
}

/** Locals count with the parameters, as V8 does (kV8MaxWasmFunctionLocals). */
function readLocals(decoder: InstructionDecoder, draft: ModuleDraft): void {
  const functionIndex = draft.functionIndex ?? 0;
  let locals = draft.parameterCounts[draft.functionTypeIndices[functionIndex] ?? 0] ?? 0;
  for (let groups = decoder.count(2); groups > 0; groups -= 1) {
    const offset = decoder.position;
    locals += decoder.u32();
    if (locals > limits.wasmLocalsMax) {
      throw overLimit(`there are ${locals} locals or more`, "wasmLocalsMax", offset);
    }
    const type = readValueType(decoder, draft);
    if ((draft.features & draft.refused) !== 0) draft.checkFeatures(`local of ${type}`, offset);
  }
  decoder.locals = locals;
}

function scanInstructions(decoder: InstructionDecoder, draft: ModuleDraft): void {
  const { refused } = draft;
  let features = 0;
  let usesMemoryGrow = false;
  while (decoder.next()) {
    features |= decoder.features;
    if ((features & refused) !== 0) throw unsupported(features & refused, decoder.describe(), decoder.offset);
    if (decoder.opcode === memoryGrowOpcode) usesMemoryGrow = true;
  }
  if (decoder.position !== decoder.end) {
    throw malformed(`${decoder.remaining} bytes follow the end of the body`, decoder.position);
  }
  draft.features |= features;
  if (usesMemoryGrow) draft.usesMemoryGrow = true;
}

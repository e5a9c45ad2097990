// Reads a constant expression: initial values of globals and tables, offsets and items of segments.
// Shapes only; that its instructions are constant ones is checked by V8.
// Spec: WebAssembly core 3.0, sections 3.4.13 and 5.4.9.

import type { BinaryReader } from "./binary-reader.ts";
import { feature } from "./features.ts";
import type { InstructionDecoder } from "./instructions.ts";
import { checkCount, type ModuleDraft } from "./module-draft.ts";

/** i32.add, i32.sub, i32.mul, i64.add, i64.sub, i64.mul: constant since extended-const. */
const arithmetic: ReadonlySet<number> = new Set([0x6a, 0x6b, 0x6c, 0x7c, 0x7d, 0x7e]);

/** Moves `reader` past the expression; `decoder` is borrowed. */
export function readConstantExpression(
  reader: BinaryReader,
  draft: ModuleDraft,
  decoder: InstructionDecoder,
): void {
  decoder.start(reader.position, reader.end);
  while (decoder.next()) {
    draft.constantInstructions += 1;
    checkCount(
      draft.constantInstructions,
      "wasmConstantInstructionsMax",
      "constant instructions",
      decoder.offset,
    );
    draft.features |= decoder.features;
    if (arithmetic.has(decoder.opcode)) draft.features |= feature.extendedConst;
    if ((decoder.features & draft.refused) === 0) continue;
    draft.checkFeatures(`${decoder.describe()} in a constant expression`, decoder.offset);
  }
  reader.position = decoder.position;
}

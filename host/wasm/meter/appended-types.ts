// The types that metering appends, each once: the passed form of a signature, and the block type of
// several results.

import type { Additions } from "../additions.ts";
import { BinaryWriter } from "../binary-writer.ts";
import { ByteBuffer } from "./byte-buffer.ts";
import type { ModuleIndex } from "./module-index.ts";

const functionForm = 0x60;
const i32 = Uint8Array.of(0x7f);

export class AppendedTypes {
  private readonly module: ModuleIndex;
  private readonly additions: Additions;
  private readonly passed = new Map<number, number>();
  private readonly blocks = new Map<number, Uint8Array>();

  constructor(module: ModuleIndex, additions: Additions) {
    this.module = module;
    this.additions = additions;
  }

  /** The type with one more i32 at the end of parameters and of results. */
  passedType(typeIndex: number): number {
    const known = this.passed.get(typeIndex);
    if (known !== undefined) return known;
    const { paramCount, params, resultCount, results } = this.module.signature(typeIndex);
    const entry = new BinaryWriter().u8(functionForm);
    entry
      .u32(paramCount + 1)
      .append(params)
      .append(i32);
    entry
      .u32(resultCount + 1)
      .append(results)
      .append(i32);
    const index = this.additions.type(entry.finish());
    this.passed.set(typeIndex, index);
    return index;
  }

  /** The block type, as bytes, of a block without parameters that has the results of a signature. */
  resultBlock(typeIndex: number): Uint8Array {
    const known = this.blocks.get(typeIndex);
    if (known !== undefined) return known;
    const { resultCount, results } = this.module.signature(typeIndex);
    let bytes = results;
    if (resultCount === 0) bytes = Uint8Array.of(0x40);
    else if (resultCount > 1) {
      const entry = new BinaryWriter().u8(functionForm, 0).u32(resultCount).append(results);
      const index = new ByteBuffer();
      index.positive(this.additions.type(entry.finish()));
      bytes = index.finish();
    }
    this.blocks.set(typeIndex, bytes);
    return bytes;
  }
}

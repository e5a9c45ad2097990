// Makes a module count the instructions it runs, in an exported global, so that a test can say how
// many run between two checks. The counting instructions count themselves: what is metered afterwards
// is a program like any other. Also runs a metered module and reads the count at each check.

import assert from "node:assert/strict";
import { BinaryReader } from "../../../host/wasm/binary-reader.ts";
import { skipLocals } from "../../../host/wasm/code-section.ts";
import { inspectModule } from "../../../host/wasm/inspect.ts";
import { InstructionDecoder } from "../../../host/wasm/instructions.ts";
import { prepareModule } from "../../../host/wasm/prepare.ts";
import { headerBytes, readSections, sectionId } from "../../../host/wasm/sections.ts";
import { type Bytes, flatten, leb, name, section } from "../module-bytes.ts";

export const countName = "count";
const i64 = 0x7e;
/** A longer straight line is counted in parts, not all at once. */
const straightMax = 32;

/** Opcodes before which the count is brought up to date: all that may leave the straight line. */
const isControl = (opcode: number): boolean =>
  (opcode <= 0x1f && opcode !== 0x1a && opcode !== 0x1b && opcode !== 0x1c) ||
  opcode === 0xd5 ||
  opcode === 0xd6;

/** The module with `count` instructions exported as an i64 global. */
export function counted(bytes: Uint8Array): Uint8Array {
  const { counts } = inspectModule(bytes, { metered: true });
  const global = counts.importedGlobals + counts.globals;
  const parts: (Bytes | Uint8Array)[] = [bytes.subarray(0, headerBytes)];
  const seen = new Set<number>();
  const addGlobal: Bytes = [i64, 1, 0x42, 0, 0x0b];
  const addExport: Bytes = [name(countName), 3, leb(global)];
  for (const { id, start, contentStart, end } of readSections(bytes)) {
    if (id !== 0 && id !== 5 && id !== 13 && (id > 6 || id === 10) && !seen.has(6)) {
      seen.add(6);
      if (counts.globals === 0) parts.push(section(6, [1, addGlobal]));
    }
    if (id !== 0 && id > 7 && id !== 13 && !seen.has(7)) {
      seen.add(7);
      if (counts.exports === 0) parts.push(section(7, [1, addExport]));
    }
    const reader = new BinaryReader(bytes, contentStart, end);
    if (id === sectionId.global) {
      const count = reader.u32();
      parts.push(section(6, [leb(count + 1), bytes.subarray(reader.position, end), addGlobal]));
    } else if (id === sectionId.export) {
      const count = reader.u32();
      parts.push(section(7, [leb(count + 1), bytes.subarray(reader.position, end), addExport]));
    } else if (id === sectionId.code) parts.push(countedCode(bytes, reader, global));
    else parts.push(bytes.subarray(start, end));
  }
  return flatten(parts);
}

function countedCode(bytes: Uint8Array, reader: BinaryReader, global: number): Bytes {
  const count = reader.u32();
  const decoder = new InstructionDecoder(bytes);
  const bodies: (Bytes | Uint8Array)[] = [leb(count)];
  for (let left = count; left > 0; left -= 1) {
    const size = reader.u32();
    const start = reader.position;
    decoder.start(start, start + size);
    skipLocals(decoder);
    const body: (Bytes | Uint8Array)[] = [bytes.subarray(start, decoder.position)];
    let copiedTo = decoder.position;
    let straight = 0;
    while (decoder.next()) {
      straight += 1;
      if (!isControl(decoder.opcode) && straight < straightMax) continue;
      body.push(bytes.subarray(copiedTo, decoder.offset), add(global, straight + 4));
      copiedTo = decoder.offset;
      straight = 0;
    }
    body.push(bytes.subarray(copiedTo, start + size));
    const flat = flatten(body);
    bodies.push(leb(flat.length), flat);
    reader.skip(size);
  }
  return section(10, bodies);
}

const add = (global: number, amount: number): Bytes => [
  0x23,
  leb(global),
  0x42,
  ...signed(amount),
  0x7c,
  0x24,
  leb(global),
];

function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x3f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>= 7;
  }
  return [...bytes, rest];
}

export const meter = (bytes: Uint8Array): Uint8Array<ArrayBuffer> =>
  prepareModule(bytes, inspectModule(bytes, { metered: true }), { meter: true });

export type Watched = {
  readonly exports: Record<string, (...values: unknown[]) => unknown>;
  readonly memory: WebAssembly.Memory;
  /** Instructions so far. */
  readonly count: () => number;
  /** The most between two checks, or a check and now. */
  readonly longest: () => number;
  readonly checks: () => number;
};

/** Instantiates the counted and metered form; `stopAfter` checks the guest is told to stop. */
export function watched(
  bytes: Uint8Array,
  imports: WebAssembly.Imports = {},
  stopAfter = Number.POSITIVE_INFINITY,
): Watched {
  const metered = meter(counted(bytes));
  const memory = new WebAssembly.Memory({
    initial: inspectModule(bytes, { metered: true }).memories[0]?.initialPages ?? 0,
    maximum: 2048,
  });
  let last = 0;
  let longest = 0;
  let checks = 0;
  const count = (): number => Number((instance.exports[countName] as WebAssembly.Global).value);
  const check = (): number => {
    const now = count();
    longest = Math.max(longest, now - last);
    last = now;
    checks += 1;
    return checks >= stopAfter ? 1 : 0;
  };
  const instance = new WebAssembly.Instance(new WebAssembly.Module(metered), {
    ...imports,
    "mayfly:host": { check, pause: check, turn: () => 0, grow: () => 1, memory },
  });
  assert(instance.exports[countName]);
  return {
    exports: instance.exports as Watched["exports"],
    memory,
    count,
    longest: () => Math.max(longest, count() - last),
    checks: () => checks,
  };
}

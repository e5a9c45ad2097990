// Guesses for a bare .wasm file, which has no declared types but may export AssemblyScript's
// runtime. The rules are in docs: a list of whole numbers is an i32 list, of other numbers an f64
// list, of strings a string list; an i32 result is shown as a string or list when it points at one.

import type { ASUtil } from "@assemblyscript/loader";
import type { ArgumentValue } from "./argument-value.ts";
import { UserError } from "./user-error.ts";

/** A running module: the loader's functions and what they do not offer. */
export type Guest = {
  readonly util: ASUtil;
  readonly memory: WebAssembly.Memory;
  /** Address of the runtime type information; undefined when the runtime is not exported. */
  readonly rttiBase: number | undefined;
};

// AssemblyScript's runtime type information: one u32 of flags for each class id.
const arrayFlag = 2;
const signedFlag = 1 << 11;
const floatFlag = 1 << 12;
const managedFlag = 1 << 14;
const alignShift = 6;
const stringId = 2;
const headerBytes = 20;

/** The id of the first array class that can hold the items. */
export function looseClassId(guest: Guest, items: readonly ArgumentValue[]): number {
  const strings = items.some((item) => typeof item === "string");
  const floats = !strings && items.some((item) => typeof item === "number" && !Number.isInteger(item));
  const bytes = floats ? 8 : 4;
  const want = arrayFlag | (strings ? managedFlag : signedFlag) | (floats ? floatFlag : 0);
  const mask = arrayFlag | managedFlag | floatFlag | (strings ? 0 : signedFlag);
  const id = classFlags(guest).findIndex(
    (flags) => (flags & mask) === want && ((flags >>> alignShift) & 31) === bytes,
  );
  if (id >= 0) return id;
  const kind = strings ? "string" : floats ? "f64" : "i32";
  throw new UserError(
    `Cannot pass a list of ${kind}: the module uses none; give the .ts file, which has types`,
  );
}

/** The text of what a result points at; undefined when it is a plain number. */
export function looseValue(guest: Guest, pointer: number): string | undefined {
  const flags = classFlags(guest);
  if (flags.length === 0 || pointer % 16 !== 0 || pointer < headerBytes) return undefined;
  if (pointer > guest.memory.buffer.byteLength) return undefined;
  const [id = 0, size = 0] = new Uint32Array(guest.memory.buffer, pointer - 8, 2);
  if (pointer + size > guest.memory.buffer.byteLength) return undefined;
  if (id === stringId && size % 2 === 0) return guest.util.__getString(pointer);
  const info = flags[id] ?? 0;
  if (id <= stringId || (info & arrayFlag) === 0 || size !== 16) return undefined;
  const items = listItems(guest, pointer);
  const shown = items.map((item) =>
    (info & managedFlag) === 0 ? String(item) : JSON.stringify(looseValue(guest, Number(item)) ?? null),
  );
  return `[${shown.join(",")}]`;
}

/** The raw items of any array; the loader's types hide that its views are typed arrays. */
export function listItems(guest: Guest, pointer: number): (number | bigint)[] {
  const view = guest.util.__getArrayView(pointer) as Uint8Array | BigInt64Array;
  return Array.from<number | bigint>(view);
}

function classFlags(guest: Guest): number[] {
  if (guest.rttiBase === undefined) return [];
  const [count = 0] = new Uint32Array(guest.memory.buffer, guest.rttiBase, 1);
  return Array.from(new Uint32Array(guest.memory.buffer, guest.rttiBase + 4, count));
}

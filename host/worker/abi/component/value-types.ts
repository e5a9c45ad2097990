// Values of the component model and how they lie in core WebAssembly: as flat parameters and results, and in
// memory (component model, "CanonicalABI.md"). Each type is an object that moves its values both ways.
// WASI 0.2 knows no floats, and strings here are UTF-8.

import { limits } from "../../../limits.ts";
import type { ComponentGuest, Realloc } from "./guest.ts";

export type CoreType = "i32" | "i64";
export type CoreValue = number | bigint;

/** Flat values of a call, in turn. A slot that cases of a variant share may be wider than a case needs. */
export class FlatReader {
  readonly #values: readonly CoreValue[];
  at = 0;

  constructor(values: readonly CoreValue[]) {
    this.#values = values;
  }

  /** As unsigned. */
  u32(): number {
    const value = this.#values[this.at++] ?? 0;
    return typeof value === "bigint" ? Number(BigInt.asUintN(32, value)) : value >>> 0;
  }

  u64(): bigint {
    return BigInt.asUintN(64, BigInt(this.#values[this.at++] ?? 0));
  }
}

export type ValueType<value> = {
  readonly bytes: number;
  readonly align: number;
  readonly flat: readonly CoreType[];
  /** From the guest. */
  lift(guest: ComponentGuest, from: FlatReader): value;
  load(guest: ComponentGuest, at: number): value;
  /** To the guest. */
  lower(guest: ComponentGuest, value: value, to: CoreValue[], realloc: Realloc | null): void;
  store(guest: ComponentGuest, at: number, value: value, realloc: Realloc | null): void;
};

export type ValueOf<type> = type extends ValueType<infer value> ? value : never;

const integer = (
  bytes: 1 | 2 | 4,
  load: (view: DataView, at: number) => number,
  store: (view: DataView, at: number, value: number) => void,
  wrap: (value: number) => number,
): ValueType<number> => ({
  bytes,
  align: bytes,
  flat: ["i32"],
  lift: (_guest, from) => wrap(from.u32()),
  load: (guest, at) => load(guest.view(at, bytes, bytes), at),
  lower: (_guest, value, to) => void to.push(value),
  store: (guest, at, value) => store(guest.view(at, bytes, bytes), at, value),
});

export const u8 = integer(
  1,
  (view, at) => view.getUint8(at),
  (view, at, value) => view.setUint8(at, value),
  (value) => value & 0xff,
);
export const u16 = integer(
  2,
  (view, at) => view.getUint16(at, true),
  (view, at, value) => view.setUint16(at, value, true),
  (value) => value & 0xffff,
);
export const u32 = integer(
  4,
  (view, at) => view.getUint32(at, true),
  (view, at, value) => view.setUint32(at, value, true),
  (value) => value,
);
export const s32 = integer(
  4,
  (view, at) => view.getInt32(at, true),
  (view, at, value) => view.setInt32(at, value, true),
  (value) => value | 0,
);

export const u64: ValueType<bigint> = {
  bytes: 8,
  align: 8,
  flat: ["i64"],
  lift: (_guest, from) => from.u64(),
  load: (guest, at) => guest.view(at, 8, 8).getBigUint64(at, true),
  lower: (_guest, value, to) => void to.push(BigInt.asIntN(64, value)),
  store: (guest, at, value) => guest.view(at, 8, 8).setBigUint64(at, value, true),
};

export const bool: ValueType<boolean> = {
  bytes: 1,
  align: 1,
  flat: ["i32"],
  lift: (_guest, from) => from.u32() !== 0,
  load: (guest, at) => u8.load(guest, at) !== 0,
  lower: (_guest, value, to) => void to.push(value ? 1 : 0),
  store: (guest, at, value) => u8.store(guest, at, value ? 1 : 0, null),
};

/** Pointer and length, in both forms. */
const ranged = <value>(
  take: (guest: ComponentGuest, at: number, length: number) => value,
  put: (guest: ComponentGuest, value: value, realloc: Realloc | null) => readonly [number, number],
): ValueType<value> => ({
  bytes: 8,
  align: 4,
  flat: ["i32", "i32"],
  lift: (guest, from) => {
    const at = from.u32();
    return take(guest, at, from.u32());
  },
  load: (guest, at) => {
    const view = guest.view(at, 8, 4);
    return take(guest, view.getUint32(at, true), view.getUint32(at + 4, true));
  },
  lower: (guest, value, to, realloc) => void to.push(...put(guest, value, realloc)),
  store: (guest, at, value, realloc) => {
    const [start, length] = put(guest, value, realloc);
    const view = guest.view(at, 8, 4);
    view.setUint32(at, start, true);
    view.setUint32(at + 4, length, true);
  },
});

function putBytes(guest: ComponentGuest, bytes: Uint8Array, realloc: Realloc | null) {
  const at = guest.allocate(realloc, bytes.byteLength, 1);
  guest.bytes(at, bytes.byteLength).set(bytes);
  return [at, bytes.byteLength] as const;
}

/** list<u8>: from the guest a view of its memory, valid until it runs again. */
export const bytes: ValueType<Uint8Array> = ranged(
  (guest, at, length) => guest.given(at, length),
  (guest, value, realloc) => putBytes(guest, value, realloc),
);

export const string: ValueType<string> = ranged(
  (guest, at, length) => guest.text(at, length),
  (guest, value, realloc) => putBytes(guest, Buffer.from(value), realloc),
);

/** What looking at one item takes, as bytes that are moved in that time. */
const itemWork = 1_024;

export function list<value>(element: ValueType<value>): ValueType<readonly value[]> {
  return ranged<readonly value[]>(
    (guest, at, length) => {
      if (length > limits.listItemsMax) {
        throw guest.fault(`a list has ${length} items, limit is ${limits.listItemsMax}`);
      }
      guest.view(at, length * element.bytes, element.align);
      guest.works(length * itemWork);
      const before = guest.givenBytes;
      return Array.from({ length }, (_, index) => {
        const item = element.load(guest, at + index * element.bytes);
        // All of them may be the same bytes of the guest's, and are not those of the host.
        if (guest.givenBytes - before > limits.listBytesMax) {
          throw guest.fault(`a list has more than ${limits.listBytesMax} bytes`);
        }
        return item;
      });
    },
    (guest, values, realloc) => {
      guest.works(values.length * itemWork);
      const at = guest.allocate(realloc, values.length * element.bytes, element.align);
      values.forEach((value, index) => {
        element.store(guest, at + index * element.bytes, value, realloc);
      });
      return [at, values.length];
    },
  );
}

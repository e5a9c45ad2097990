// Types of the component model that are made of others: records and tuples, variants and what is short for
// them (option, result, enum), flags.

import type { ComponentGuest } from "./guest.ts";
import { type CoreType, type CoreValue, u8, u16, u32, type ValueOf, type ValueType } from "./value-types.ts";

/** Rounded up to a multiple. */
export const aligned = (at: number, align: number): number => Math.ceil(at / align) * align;

type Types = readonly ValueType<unknown>[];
export type Values<types extends Types> = { [index in keyof types]: ValueOf<types[index]> };

export function tuple<const types extends Types>(...types: types): ValueType<Values<types>> {
  const offsets: number[] = [];
  let end = 0;
  let align = 1;
  for (const type of types) {
    const offset = aligned(end, type.align);
    offsets.push(offset);
    end = offset + type.bytes;
    align = Math.max(align, type.align);
  }
  const typed = (values: readonly unknown[]): Values<types> => values as Values<types>;
  return {
    bytes: aligned(end, align),
    align,
    flat: types.flatMap(({ flat }) => flat),
    lift: (guest, from) => typed(types.map((type) => type.lift(guest, from))),
    load: (guest, at) => typed(types.map((type, index) => type.load(guest, at + (offsets[index] ?? 0)))),
    lower: (guest, values, to, realloc) => {
      types.forEach((type, index) => {
        type.lower(guest, values[index], to, realloc);
      });
    },
    store: (guest, at, values, realloc) => {
      types.forEach((type, index) => {
        type.store(guest, at + (offsets[index] ?? 0), values[index], realloc);
      });
    },
  };
}

type Fields = Readonly<Record<string, ValueType<unknown>>>;
type RecordOf<fields extends Fields> = { -readonly [name in keyof fields]: ValueOf<fields[name]> };

export function record<const fields extends Fields>(fields: fields): ValueType<RecordOf<fields>> {
  const names = Object.keys(fields);
  const inner: ValueType<readonly unknown[]> = tuple(...Object.values(fields));
  const named = (values: readonly unknown[]): RecordOf<fields> =>
    Object.fromEntries(names.map((name, index) => [name, values[index]])) as RecordOf<fields>;
  const listed = (value: RecordOf<fields>): readonly unknown[] => names.map((name) => value[name]);
  return {
    bytes: inner.bytes,
    align: inner.align,
    flat: inner.flat,
    lift: (guest, from) => named(inner.lift(guest, from)),
    load: (guest, at) => named(inner.load(guest, at)),
    lower: (guest, value, to, realloc) => inner.lower(guest, listed(value), to, realloc),
    store: (guest, at, value, realloc) => inner.store(guest, at, listed(value), realloc),
  };
}

type Cases = Readonly<Record<string, ValueType<unknown> | null>>;
/** One case: its name, and its value where it has one. */
export type CaseOf<cases extends Cases> = {
  [name in keyof cases]: cases[name] extends ValueType<infer value>
    ? { readonly tag: name; readonly value: value }
    : { readonly tag: name; readonly value?: undefined };
}[keyof cases];

const joined = (one: CoreType | undefined, other: CoreType): CoreType =>
  one === undefined || one === other ? other : "i64";

export function variant<const cases extends Cases>(cases: cases): ValueType<CaseOf<cases>> {
  const names = Object.keys(cases);
  const payloads = Object.values(cases);
  const tag = names.length <= 0x100 ? u8 : u16;
  const payloadAlign = Math.max(1, ...payloads.map((type) => type?.align ?? 1));
  const offset = aligned(tag.bytes, payloadAlign);
  const align = Math.max(tag.align, payloadAlign);
  const flat: CoreType[] = ["i32"];
  for (const type of payloads) {
    type?.flat.forEach((core, index) => {
      flat[index + 1] = joined(flat[index + 1], core);
    });
  }
  const caseAt = (guest: ComponentGuest, index: number): ValueType<unknown> | null => {
    const type = payloads[index];
    if (type === undefined) throw guest.fault(`a variant has no case ${index}`);
    return type;
  };
  const made = (index: number, value: unknown): CaseOf<cases> => {
    const name = names[index] as string;
    return (payloads[index] === null ? { tag: name } : { tag: name, value }) as CaseOf<cases>;
  };
  return {
    bytes: aligned(offset + Math.max(0, ...payloads.map((type) => type?.bytes ?? 0)), align),
    align,
    flat,
    lift: (guest, from) => {
      const end = from.at + flat.length;
      const index = from.u32();
      const value = caseAt(guest, index)?.lift(guest, from);
      from.at = end;
      return made(index, value);
    },
    load: (guest, at) => {
      const index = tag.load(guest, at);
      return made(index, caseAt(guest, index)?.load(guest, at + offset));
    },
    lower: (guest, value, to, realloc) => {
      const index = names.indexOf(value.tag as string);
      const first = to.length + 1;
      to.push(index);
      payloads[index]?.lower(guest, value.value, to, realloc);
      widen(to, first, flat);
    },
    store: (guest, at, value, realloc) => {
      const index = names.indexOf(value.tag as string);
      tag.store(guest, at, index, null);
      payloads[index]?.store(guest, at + offset, value.value, realloc);
    },
  };
}

/** Makes the slots of a case those of its variant: wider where cases share them, and all of them. */
function widen(to: CoreValue[], first: number, flat: readonly CoreType[]): void {
  for (let slot = 1; slot < flat.length; slot += 1) {
    const value = to[first + slot - 1] ?? 0;
    to[first + slot - 1] = flat[slot] === "i64" ? BigInt(value) : value;
  }
}

/** Undefined for none. */
export function option<value>(some: ValueType<value>): ValueType<value | undefined> {
  const inner = variant({ none: null, some });
  const unwrapped = (found: { readonly value?: unknown }): value | undefined =>
    found.value as value | undefined;
  const wrapped = (value: value | undefined) =>
    (value === undefined ? { tag: "none" } : { tag: "some", value }) as ValueOf<typeof inner>;
  return {
    bytes: inner.bytes,
    align: inner.align,
    flat: inner.flat,
    lift: (guest, from) => unwrapped(inner.lift(guest, from)),
    load: (guest, at) => unwrapped(inner.load(guest, at)),
    lower: (guest, value, to, realloc) => inner.lower(guest, wrapped(value), to, realloc),
    store: (guest, at, value, realloc) => inner.store(guest, at, wrapped(value), realloc),
  };
}

export type Result<ok, fault> =
  | { readonly tag: "ok"; readonly value: ok }
  | { readonly tag: "err"; readonly value: fault };

/** Null for nothing: `result<_, error>`. */
export function result<ok = undefined, fault = undefined>(
  ok: ValueType<ok> | null,
  err: ValueType<fault> | null,
): ValueType<Result<ok, fault>> {
  return variant({ ok, err }) as ValueType<Result<ok, fault>>;
}

export const good = <ok>(value: ok): { readonly tag: "ok"; readonly value: ok } => ({ tag: "ok", value });
export const bad = <const fault>(value: fault): { readonly tag: "err"; readonly value: fault } => ({
  tag: "err",
  value,
});
export const done = good(undefined);
export const failed = bad(undefined);

export function enumeration<const names extends readonly string[]>(
  ...names: names
): ValueType<names[number]> {
  return {
    bytes: 1,
    align: 1,
    flat: ["i32"],
    lift: (guest, from) => nameAt(guest, names, from.u32()),
    load: (guest, at) => nameAt(guest, names, u8.load(guest, at)),
    lower: (_guest, value, to) => void to.push(names.indexOf(value)),
    store: (guest, at, value) => u8.store(guest, at, names.indexOf(value), null),
  };
}

function nameAt(guest: ComponentGuest, names: readonly string[], index: number): string {
  const name = names[index];
  if (name === undefined) throw guest.fault(`an enum has no case ${index}`);
  return name;
}

/** As a number, its lowest bit the first flag: WASI has no type of more than 32. */
export function flags(count: number): ValueType<number> {
  if (count <= 8) return u8;
  return count <= 16 ? u16 : u32;
}

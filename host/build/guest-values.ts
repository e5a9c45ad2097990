// Moves values between JavaScript and an AssemblyScript module's memory, by their types, through
// the module's exported runtime and AssemblyScript's loader. The module is the user's own: nothing
// here is hardened against a hostile one.

import type { ArgumentValue } from "./argument-value.ts";
import { type Guest, listItems, looseClassId, looseValue } from "./loose-values.ts";
import type { ModuleTypes } from "./module-types.ts";
import { UserError } from "./user-error.ts";
import type { ValueType } from "./value-type.ts";

type GuestNumber = number | bigint;

/** Writes a value; what it allocates is pinned and stays until the instance is gone. */
export function lower(guest: Guest, value: ArgumentValue, type: ValueType, types?: ModuleTypes): GuestNumber {
  if (value === null) return 0;
  if (typeof value === "boolean") return value ? 1 : 0;
  if (typeof value === "number" || typeof value === "bigint") return value;
  if (typeof value === "string") return guest.util.__pin(guest.util.__newString(value));
  const id = type.kind === "list" ? types?.classIds[type.className] : looseClassId(guest, value);
  if (id === undefined) throw new UserError("Cannot pass a list: the module has no class for it");
  const element = type.kind === "list" ? type.element : type;
  const items = value.map((item) => lower(guest, item, element, types));
  return guest.util.__pin(guest.util.__newArray(id, items as number[]));
}

/** Reads a result and writes it as text: strings as they are, lists as JSON, void as nothing. */
export function lift(guest: Guest, value: unknown, type: ValueType): string {
  if (type.kind === "string" && value !== 0) return guest.util.__getString(Number(value));
  if (type.kind === "loose") {
    const found = looseValue(guest, Number(value));
    return found ?? String(value);
  }
  return liftJson(guest, value, type);
}

function liftJson(guest: Guest, value: unknown, type: ValueType): string {
  switch (type.kind) {
    case "void":
      return "";
    case "bool":
      return value === 0 ? "false" : "true";
    case "float":
      return type.name === "f32" ? shortestF32(Number(value)) : String(value);
    case "integer":
      return String(wrap(BigInt(value as GuestNumber), type));
    case "string":
      return value === 0 ? "null" : JSON.stringify(guest.util.__getString(Number(value)));
    case "list": {
      if (value === 0) return "null";
      const items = listItems(guest, Number(value));
      return `[${items.map((item) => liftJson(guest, item, type.element)).join(",")}]`;
    }
    default:
      throw new UserError(
        `Cannot show the result: a ${type.kind === "unsupported" ? type.name : type.kind} has no text`,
      );
  }
}

// A wasm result is signed; the declared type says how its bits are meant.
function wrap(value: bigint, type: { readonly min: bigint; readonly max: bigint }): bigint {
  const span = type.max - type.min + 1n;
  return ((((value - type.min) % span) + span) % span) + type.min;
}

// The fewest digits that are still this f32: 0.1 and not 0.10000000149011612.
function shortestF32(value: number): string {
  for (let digits = 1; digits < 9; digits += 1) {
    const text = Number(value.toPrecision(digits));
    if (Math.fround(text) === value) return String(text);
  }
  return String(value);
}

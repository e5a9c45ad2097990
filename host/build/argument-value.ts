// Reads the arguments of `mayfly call` from the text of the command line: numbers, bools and
// strings as they are, lists as JSON. Pure; every fault is a WrongArguments that names the argument.

import { WrongArguments } from "./user-error.ts";
import { typeName, type ValueType } from "./value-type.ts";

export type ArgumentValue = null | string | number | bigint | boolean | readonly ArgumentValue[];

/** The value of one argument; `label` names it in faults, as in `argument 2 (count)`. */
export function readArgument(text: string, type: ValueType, label: string): ArgumentValue {
  switch (type.kind) {
    case "string":
      return type.nullable && text === "null" ? null : text;
    case "list":
      return type.nullable && text === "null" ? null : readItem(readJson(text, type, label), type, label);
    case "loose":
      return readLoose(text, label);
    default:
      return readScalar(text, type, label);
  }
}

// Items of a list: JSON strings are kept apart from numbers, whose digits are kept as written, so
// that an i64 beyond 2^53 stays exact.
type Item = Item[] | null | boolean | { readonly text: string } | { readonly digits: string };

function readJson(text: string, type: ValueType, label: string): Item {
  try {
    return JSON.parse(text, (_key, value: unknown, context?: { source?: string }): unknown => {
      if (typeof value === "number") return { digits: context?.source ?? String(value) };
      return typeof value === "string" ? { text: value } : value;
    }) as Item;
  } catch {
    throw wrong(text, type, label);
  }
}

function readItem(item: Item, type: ValueType, label: string): ArgumentValue {
  const shown = JSON.stringify(plain(item));
  if (type.kind === "list") {
    if (item === null && type.nullable) return null;
    if (!Array.isArray(item)) throw wrong(shown, type, label);
    return item.map((inner, index) => readItem(inner, type.element, `${label}, item ${index + 1}`));
  }
  if (type.kind === "string") {
    if (item === null && type.nullable) return null;
    if (item === null || typeof item !== "object" || !("text" in item)) throw wrong(shown, type, label);
    return item.text;
  }
  if (typeof item === "boolean") return readScalar(String(item), type, label);
  if (item === null || !("digits" in item)) throw wrong(shown, type, label);
  return readScalar(item.digits, type, label);
}

function plain(item: Item): unknown {
  if (Array.isArray(item)) return item.map(plain);
  if (item === null || typeof item === "boolean") return item;
  return "text" in item ? item.text : Number(item.digits);
}

function readScalar(text: string, type: ValueType, label: string): ArgumentValue {
  if (type.kind === "bool") {
    if (text !== "true" && text !== "false") throw wrong(text, type, label);
    return text === "true";
  }
  if (type.kind === "float") {
    const value = Number(text);
    if (text.trim() === "" || (Number.isNaN(value) && text !== "NaN")) throw wrong(text, type, label);
    return value;
  }
  if (type.kind !== "integer") {
    throw new WrongArguments(`Cannot pass ${label}: a ${typeName(type)} cannot be given on the command line`);
  }
  if (!/^-?\d+$|^0x[0-9a-f]+$/i.test(text)) throw wrong(text, type, label);
  const value = BigInt(text);
  if (value < type.min || value > type.max) {
    throw new WrongArguments(
      `Cannot pass ${label}: ${text} is out of range, ${type.name} is ${type.min} to ${type.max}`,
    );
  }
  return type.name.endsWith("64") ? value : Number(value);
}

// Without types the text itself decides: a whole number, a list in brackets, a JSON string in
// quotes, otherwise the text as it is.
function readLoose(text: string, label: string): ArgumentValue {
  if (/^-?\d+$/.test(text)) {
    const value = Number(text);
    if (value >= -(2 ** 31) && value < 2 ** 32) return value;
    throw new WrongArguments(`Cannot pass ${label}: ${text} is out of range, i32 is 32 bits`);
  }
  if (text === "true" || text === "false") return text === "true";
  if (!text.startsWith("[") && !text.startsWith('"')) return text;
  try {
    return JSON.parse(text) as ArgumentValue;
  } catch {
    return text;
  }
}

function wrong(found: string, type: ValueType, label: string): WrongArguments {
  const example = type.kind === "list" ? `, written as JSON: ${exampleOf(type)}` : "";
  return new WrongArguments(`Cannot pass ${label}: found ${found}, want ${typeName(type)}${example}`);
}

function exampleOf(type: ValueType): string {
  switch (type.kind) {
    case "list":
      return `[${exampleOf(type.element)}]`;
    case "string":
      return '"a","b"';
    case "float":
      return "1.5,2";
    case "bool":
      return "true,false";
    default:
      return "1,2,3";
  }
}

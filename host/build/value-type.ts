// The types that callExport can carry across, read from the compiler's names for them. Pure.

export type ValueType =
  | { readonly kind: "void" }
  | { readonly kind: "integer"; readonly name: string; readonly min: bigint; readonly max: bigint }
  | { readonly kind: "float"; readonly name: "f32" | "f64" }
  | { readonly kind: "bool" }
  | { readonly kind: "string"; readonly nullable: boolean }
  | {
      readonly kind: "list";
      /** The compiler's name of the class, which the runtime's id is looked up by. */
      readonly className: string;
      readonly element: ValueType;
      readonly nullable: boolean;
    }
  /** An i32 of a module without types: a number, or a pointer when the module exports its runtime. */
  | { readonly kind: "loose" }
  | { readonly kind: "unsupported"; readonly name: string };

const integerBits: Readonly<Record<string, number>> = {
  i8: 8,
  i16: 16,
  i32: 32,
  i64: 64,
  isize: 32,
  u8: 8,
  u16: 16,
  u32: 32,
  u64: 64,
  usize: 32,
};

const typedArrayElements: Readonly<Record<string, string>> = {
  Int8Array: "i8",
  Uint8Array: "u8",
  Uint8ClampedArray: "u8",
  Int16Array: "i16",
  Uint16Array: "u16",
  Int32Array: "i32",
  Uint32Array: "u32",
  Int64Array: "i64",
  Uint64Array: "u64",
  Float32Array: "f32",
  Float64Array: "f64",
};

/** Reads a type such as `i32`, `~lib/string/String | null` or `~lib/array/Array<f64>`. */
export function parseValueType(text: string): ValueType {
  const nullable = text.endsWith(" | null");
  const name = nullable ? text.slice(0, -" | null".length) : text;
  if (name === "void") return { kind: "void" };
  if (name === "bool") return { kind: "bool" };
  if (name === "f32" || name === "f64") return { kind: "float", name };
  if (integerBits[name] !== undefined) return integer(name);
  if (name === "~lib/string/String") return { kind: "string", nullable };
  const array = /^~lib\/(?:array\/Array|staticarray\/StaticArray)<(.*)>$/.exec(name)?.[1];
  if (array !== undefined) return list(name, array, nullable);
  const typedArray = typedArrayElements[/^~lib\/typedarray\/(\w+)$/.exec(name)?.[1] ?? ""];
  if (typedArray !== undefined) return list(name, typedArray, nullable);
  return { kind: "unsupported", name: text };
}

/** The integer type of that name. */
export function integer(name: string): ValueType {
  const bits = BigInt(integerBits[name] ?? 32);
  const signed = name.startsWith("i");
  const min = signed ? -(1n << (bits - 1n)) : 0n;
  const max = signed ? (1n << (bits - 1n)) - 1n : (1n << bits) - 1n;
  return { kind: "integer", name, min, max };
}

function list(className: string, elementName: string, nullable: boolean): ValueType {
  const element = parseValueType(elementName);
  return element.kind === "unsupported" ? element : { kind: "list", className, element, nullable };
}

/** The type as a person writes it: `string`, `f64[]`, `i32`. */
export function typeName(type: ValueType): string {
  switch (type.kind) {
    case "integer":
    case "float":
      return type.name;
    case "string":
      return type.nullable ? "string | null" : "string";
    case "list": {
      const name = `${typeName(type.element)}[]`;
      return type.nullable ? `${name} | null` : name;
    }
    case "loose":
      return "i32";
    case "unsupported":
      return type.name.replace(/[\w~/@-]*\//g, "");
    default:
      return type.kind;
  }
}

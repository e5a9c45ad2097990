// One JSON value of any kind. Objects and arrays are subclasses with more to offer.

import { JsonArray } from "./array";
import { JsonObject } from "./object";
import { quoteJson } from "./quote";

/** What a value is; internal, functions ask `isString` and its siblings. */
export enum JsonKind {
  Null,
  Bool,
  Number,
  String,
  Array,
  Object,
}

/**
 * A JSON value. Ask what it is (`isString`), or take it as what it should be (`asString()`), which
 * answers `null`, or a fallback of your choice, when it is something else.
 *
 * ```ts
 * const value = JSON.parse('"hi"');
 * if (value !== null && value.isString) log.info(value.toString());
 * ```
 */
export class JsonValue {
  // The text of a string; the literal of a number, so that it is written as it was read.
  private literal: string;
  private num: f64;
  private kind: JsonKind;

  /** For the SDK; build values with `JsonObject`, `JsonArray` or the `of…` functions. */
  constructor(kind: JsonKind, literal: string, num: f64) {
    this.kind = kind;
    this.literal = literal;
    this.num = num;
  }

  /**
   * A JSON string.
   *
   * ```ts
   * list.push(JsonValue.ofString("red"));
   * ```
   */
  static ofString(text: string): JsonValue {
    return new JsonValue(JsonKind.String, text, 0);
  }

  /**
   * A JSON number; what JSON cannot say (`NaN`, infinities) becomes `null`, as in JavaScript.
   *
   * ```ts
   * list.push(JsonValue.ofNumber(1.5));
   * ```
   */
  static ofNumber(num: f64): JsonValue {
    if (!Number.isFinite(num)) return JsonValue.ofNull();
    const text = num.toString();
    return new JsonValue(
      JsonKind.Number,
      text.endsWith(".0") ? text.substring(0, text.length - 2) : text,
      num,
    );
  }

  /**
   * A JSON number that is written exactly, also beyond 2^53.
   *
   * ```ts
   * list.push(JsonValue.ofInteger(i64.MAX_VALUE));
   * ```
   */
  static ofInteger(integer: i64): JsonValue {
    return new JsonValue(JsonKind.Number, integer.toString(), <f64>integer);
  }

  /**
   * `true` or `false`.
   *
   * ```ts
   * list.push(JsonValue.ofBool(count > 0));
   * ```
   */
  static ofBool(value: bool): JsonValue {
    return new JsonValue(JsonKind.Bool, value ? "true" : "false", value ? 1 : 0);
  }

  /**
   * The JSON `null`.
   *
   * ```ts
   * list.push(JsonValue.ofNull());
   * ```
   */
  static ofNull(): JsonValue {
    return new JsonValue(JsonKind.Null, "null", 0);
  }

  /** Whether this is the JSON `null`. Example: `if (value.isNull) return;` */
  get isNull(): bool {
    return this.kind === JsonKind.Null;
  }

  /** Whether this is `true` or `false`. Example: `if (!value.isBool) faults.push("want a bool");` */
  get isBool(): bool {
    return this.kind === JsonKind.Bool;
  }

  /** Whether this is a number. Example: `if (!value.isNumber) faults.push("want a number");` */
  get isNumber(): bool {
    return this.kind === JsonKind.Number;
  }

  /** Whether this is a string. Example: `if (!value.isString) faults.push("want a string");` */
  get isString(): bool {
    return this.kind === JsonKind.String;
  }

  /** Whether this is an array. Example: `if (!value.isArray) faults.push("want a list");` */
  get isArray(): bool {
    return this.kind === JsonKind.Array;
  }

  /** Whether this is an object. Example: `if (!value.isObject) faults.push("want an object");` */
  get isObject(): bool {
    return this.kind === JsonKind.Object;
  }

  /**
   * The text of a string; `null` for anything else.
   *
   * ```ts
   * const name = value.asString();
   * ```
   */
  asString(): string | null {
    return this.isString ? this.literal : null;
  }

  /**
   * The number; `fallback` for anything else.
   *
   * ```ts
   * const price = value.asNumber();
   * if (isNaN(price)) return Response.text("price: want a number", 422);
   * ```
   */
  asNumber(fallback: f64 = NaN): f64 {
    return this.isNumber ? this.num : fallback;
  }

  /**
   * The number, when it is whole and fits an `i64`, exactly; `fallback` for anything else.
   *
   * ```ts
   * const count = value.asInteger(-1);
   * ```
   */
  asInteger(fallback: i64 = 0): i64 {
    if (!this.isNumber || Math.trunc(this.num) !== this.num || Math.abs(this.num) >= <f64>i64.MAX_VALUE)
      return fallback;
    // A literal of digits alone is read as such: the f64 beside it is exact only up to 2^53.
    for (let i = 0; i < this.literal.length; i++) {
      const unit = this.literal.charCodeAt(i);
      if ((unit < 0x30 || unit > 0x39) && unit !== 0x2d) return <i64>this.num;
    }
    return I64.parseInt(this.literal);
  }

  /**
   * `true` or `false`; `fallback` for anything else.
   *
   * ```ts
   * const done = value.asBool();
   * ```
   */
  asBool(fallback: bool = false): bool {
    return this.isBool ? this.num === 1 : fallback;
  }

  /**
   * The value as an array; `null` for anything else.
   *
   * ```ts
   * const items = value.asArray();
   * ```
   */
  asArray(): JsonArray | null {
    return this.isArray ? changetype<JsonArray>(this) : null;
  }

  /**
   * The value as an object; `null` for anything else.
   *
   * ```ts
   * const todo = value.asObject();
   * ```
   */
  asObject(): JsonObject | null {
    return this.isObject ? changetype<JsonObject>(this) : null;
  }

  /**
   * The value as JSON text.
   *
   * ```ts
   * return Response.json(value.toString());
   * ```
   */
  toString(): string {
    const parts: string[] = [];
    this.write(parts);
    return parts.join("");
  }

  /** For the SDK: adds the JSON text in pieces. */
  write(parts: string[]): void {
    parts.push(this.isString ? quoteJson(this.literal) : this.literal);
  }
}

// A strict reader of JSON (RFC 8259): recursive descent over UTF-16 units, with a limit on depth.
// It reports faults instead of throwing, because a function that throws cannot answer 400.
// Internal: functions call `JSON.parse`.

import { JsonArray } from "./array";
import { JsonObject } from "./object";
import { JsonKind, JsonValue } from "./value";

// Deep enough for any sensible document, shallow enough for the stack of a default build.
const DEPTH_MAX: i32 = 128;

export class JsonParser {
  /** Why parsing failed, with line and column; empty while it has not. */
  error: string = "";
  private text: string;
  private at: i32 = 0;
  private depth: i32 = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** The value of the whole text, or null with `error` set. */
  parse(): JsonValue | null {
    this.skipSpace();
    const value = this.value();
    if (value === null) return null;
    this.skipSpace();
    if (this.at < this.text.length) return this.fail("want the end, found more after the value");
    return value;
  }

  private value(): JsonValue | null {
    const unit = this.peek();
    if (unit === 0x7b) return this.nested(true);
    if (unit === 0x5b) return this.nested(false);
    if (unit === 0x22) {
      const text = this.string();
      return text === null ? null : JsonValue.ofString(text);
    }
    if (unit === 0x2d || isDigit(unit)) return this.number();
    if (this.word("true")) return JsonValue.ofBool(true);
    if (this.word("false")) return JsonValue.ofBool(false);
    if (this.word("null")) return JsonValue.ofNull();
    return this.fail(unit < 0 ? "want a value, found the end" : "want a value");
  }

  private nested(isObject: bool): JsonValue | null {
    if (this.depth === DEPTH_MAX) return this.fail("nested deeper than " + DEPTH_MAX.toString());
    this.depth++;
    this.at++;
    this.skipSpace();
    const value: JsonValue | null = isObject ? this.object() : this.array();
    this.depth--;
    return value;
  }

  private object(): JsonValue | null {
    const object = new JsonObject();
    if (this.take(0x7d)) return object;
    while (true) {
      if (this.peek() !== 0x22) return this.fail("want a name in double quotes");
      const name = this.string();
      if (name === null) return null;
      this.skipSpace();
      if (!this.take(0x3a)) return this.fail("want a colon");
      this.skipSpace();
      const value = this.value();
      if (value === null) return null;
      object.set<JsonValue>(name, value);
      this.skipSpace();
      if (this.take(0x7d)) return object;
      if (!this.take(0x2c)) return this.fail("want a comma or }");
      this.skipSpace();
    }
  }

  private array(): JsonValue | null {
    const array = new JsonArray();
    if (this.take(0x5d)) return array;
    while (true) {
      const value = this.value();
      if (value === null) return null;
      array.push<JsonValue>(value);
      this.skipSpace();
      if (this.take(0x5d)) return array;
      if (!this.take(0x2c)) return this.fail("want a comma or ]");
      this.skipSpace();
    }
  }

  private string(): string | null {
    this.at++;
    const parts: string[] = [];
    let plain = this.at;
    while (true) {
      const unit = this.peek();
      if (unit < 0) return this.failText("want a closing quote, found the end");
      if (unit < 0x20) return this.failText("a control character must be escaped");
      if (unit !== 0x22 && unit !== 0x5c) {
        this.at++;
        continue;
      }
      const text = this.text.substring(plain, this.at);
      this.at++;
      if (unit === 0x22) {
        if (parts.length === 0) return text;
        parts.push(text);
        return parts.join("");
      }
      const escaped = this.escape();
      if (escaped < 0) return null;
      parts.push(text);
      parts.push(String.fromCharCode(escaped));
      plain = this.at;
    }
  }

  /** The unit that the escape at hand stands for, or -1. */
  private escape(): i32 {
    const unit = this.peek();
    if (unit === 0x75) return this.hexUnit();
    const index = unit < 0 ? -1 : '"\\/bfnrt'.indexOf(String.fromCharCode(unit));
    if (index < 0) {
      this.fail("no such escape");
      return -1;
    }
    this.at++;
    return '"\\/\b\f\n\r\t'.charCodeAt(index);
  }

  private hexUnit(): i32 {
    let unit = 0;
    for (let i = 0; i < 4; i++) {
      this.at++;
      const digit = this.peek();
      const lower = digit | 0x20;
      if (isDigit(digit)) unit = (unit << 4) | (digit - 0x30);
      else if (lower >= 0x61 && lower <= 0x66) unit = (unit << 4) | (lower - 0x57);
      else {
        this.fail("want four hex digits");
        return -1;
      }
    }
    this.at++;
    return unit;
  }

  private number(): JsonValue | null {
    const start = this.at;
    this.take(0x2d);
    if (!this.take(0x30) && !this.digits()) return this.fail("want a digit");
    if (isDigit(this.peek())) return this.fail("a number must not begin with 0");
    if (this.take(0x2e) && !this.digits()) return this.fail("want a digit");
    if ((this.peek() | 0x20) === 0x65) {
      this.at++;
      if (!this.take(0x2b)) this.take(0x2d);
      if (!this.digits()) return this.fail("want a digit");
    }
    const literal = this.text.substring(start, this.at);
    const num = F64.parseFloat(literal);
    if (!Number.isFinite(num)) {
      this.at = start;
      return this.fail("the number is out of range");
    }
    return new JsonValue(JsonKind.Number, literal, num);
  }

  private digits(): bool {
    const start = this.at;
    while (isDigit(this.peek())) this.at++;
    return this.at > start;
  }

  private word(word: string): bool {
    if (this.text.substr(this.at, word.length) !== word) return false;
    this.at += word.length;
    return true;
  }

  private skipSpace(): void {
    while (true) {
      const unit = this.peek();
      if (unit !== 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09) return;
      this.at++;
    }
  }

  private take(unit: i32): bool {
    if (this.peek() !== unit) return false;
    this.at++;
    return true;
  }

  /** The unit at hand, or -1 at the end. */
  private peek(): i32 {
    return this.at < this.text.length ? this.text.charCodeAt(this.at) : -1;
  }

  private fail(reason: string): JsonValue | null {
    const lines = this.text.substring(0, this.at).split("\n");
    const column = lines[lines.length - 1].length + 1;
    this.error = "line " + lines.length.toString() + ", column " + column.toString() + ": " + reason;
    return null;
  }

  private failText(reason: string): string | null {
    this.fail(reason);
    return null;
  }
}

function isDigit(unit: i32): bool {
  return unit >= 0x30 && unit <= 0x39;
}

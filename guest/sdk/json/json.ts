// The front door of JSON: parse a text, learn why it failed, quote a string. JSON is read as
// RFC 8259 has it and nothing more: no comments, no trailing commas, no NaN.

import { JsonParser } from "./parser";
import { quoteJson } from "./quote";
import { JsonValue } from "./value";

let lastError: string = "";

/**
 * Reads and writes JSON. To build JSON, see `JsonObject` and `JsonArray`.
 *
 * ```ts
 * const body = JSON.parse(req.text());
 * if (!body) return Response.text("Not JSON: " + JSON.error(), 400);
 * const todo = body.asObject();
 * ```
 */
export namespace JSON {
  /**
   * The value of a JSON text, or `null` when the text is not JSON; `JSON.error()` then says why.
   * (The JSON `null` is a value: it has `isNull`.)
   *
   * A name that comes twice has its last value. Refused are nesting deeper than 128 and numbers
   * that no `f64` can hold, such as `1e400`.
   *
   * ```ts
   * const value = JSON.parse('{"ok": true}');
   * const ok = value !== null && value.isObject;
   * ```
   */
  export function parse(text: string): JsonValue | null {
    const parser = new JsonParser(text);
    const value = parser.parse();
    lastError = parser.error;
    return value;
  }

  /**
   * Why and where the last `JSON.parse` failed; empty when it did not.
   *
   * ```ts
   * if (JSON.parse("[1,]") === null) log.warn(JSON.error()); // "line 1, column 4: want a value"
   * ```
   */
  export function error(): string {
    return lastError;
  }

  /**
   * A string as JSON, with its quotes.
   *
   * ```ts
   * JSON.quote('say "hi"'); // "\"say \\\"hi\\\"\""
   * ```
   */
  export function quote(text: string): string {
    return quoteJson(text);
  }
}

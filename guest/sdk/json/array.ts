// A JSON array, both what `JSON.parse` gives and what a function builds.

import { toJsonValue } from "./to-value";
import { JsonKind, JsonValue } from "./value";

/**
 * A JSON array.
 *
 * ```ts
 * const list = new JsonArray().push(1).push("two").push(new JsonObject().set("three", 3));
 * list.toString(); // [1,"two",{"three":3}]
 * ```
 */
export class JsonArray extends JsonValue {
  private items: JsonValue[] = [];

  /**
   * An empty array.
   *
   * ```ts
   * const empty = new JsonArray();
   * ```
   */
  constructor() {
    super(JsonKind.Array, "", 0);
  }

  /**
   * How many items there are.
   *
   * ```ts
   * for (let i = 0; i < list.length; i++) log.info(list.at(i).toString());
   * ```
   */
  get length(): i32 {
    return this.items.length;
  }

  /**
   * The item at an index from 0 to `length - 1`; throws outside.
   *
   * ```ts
   * const first = list.at(0);
   * ```
   */
  at(index: i32): JsonValue {
    return this.items[index];
  }

  /**
   * Adds an item and returns the array, so that calls chain; it takes what `JsonObject.set` takes.
   *
   * ```ts
   * list.push("red").push(7).push(true);
   * ```
   */
  push<T>(value: T): JsonArray {
    this.items.push(toJsonValue<T>(value));
    return this;
  }

  /** For the SDK: adds the JSON text in pieces. */
  override write(parts: string[]): void {
    parts.push("[");
    for (let i = 0; i < this.items.length; i++) {
      if (i > 0) parts.push(",");
      this.items[i].write(parts);
    }
    parts.push("]");
  }
}

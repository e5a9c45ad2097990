// A JSON object, both what `JSON.parse` gives and what a function builds.

import { JsonArray } from "./array";
import { quoteJson } from "./quote";
import { toJsonValue } from "./to-value";
import { JsonKind, JsonValue } from "./value";

/**
 * A JSON object. Names keep the order in which they were first set.
 *
 * ```ts
 * const text = new JsonObject()
 *   .set("id", 7)
 *   .set("title", "Buy milk")
 *   .set("done", false)
 *   .set("tags", ["home", "shop"])
 *   .toString(); // {"id":7,"title":"Buy milk","done":false,"tags":["home","shop"]}
 * ```
 */
export class JsonObject extends JsonValue {
  private members: Map<string, JsonValue> = new Map<string, JsonValue>();

  /**
   * An empty object.
   *
   * ```ts
   * const empty = new JsonObject();
   * ```
   */
  constructor() {
    super(JsonKind.Object, "", 0);
  }

  /**
   * Sets a member and returns the object, so that calls chain. The value may be a string, a
   * number, a bool, a `JsonValue`, an array of these, or a nullable one, of which `null` becomes
   * the JSON `null`.
   *
   * ```ts
   * new JsonObject().set("point", new JsonObject().set("x", 1.5).set("y", -2));
   * ```
   */
  set<T>(name: string, value: T): JsonObject {
    this.members.set(name, toJsonValue<T>(value));
    return this;
  }

  /**
   * Sets a member to the JSON `null`.
   *
   * ```ts
   * new JsonObject().setNull("deletedAt");
   * ```
   */
  setNull(name: string): JsonObject {
    this.members.set(name, JsonValue.ofNull());
    return this;
  }

  /**
   * The member of that name, or `null` when there is none.
   *
   * ```ts
   * const title = todo.get("title");
   * if (!title || !title.isString) return Response.text("title: want a string", 422);
   * ```
   */
  get(name: string): JsonValue | null {
    return this.members.has(name) ? this.members.get(name) : null;
  }

  /**
   * Whether there is a member of that name, `null` ones included.
   *
   * ```ts
   * if (!todo.has("title")) faults.push("title is missing");
   * ```
   */
  has(name: string): bool {
    return this.members.has(name);
  }

  /**
   * The names of all members, in order.
   *
   * ```ts
   * const names = todo.keys();
   * ```
   */
  keys(): string[] {
    return this.members.keys();
  }

  /**
   * How many members there are.
   *
   * ```ts
   * if (todo.size === 0) return Response.text("empty", 422);
   * ```
   */
  get size(): i32 {
    return this.members.size;
  }

  /**
   * The text of a string member; `null` when it is absent or something else.
   *
   * ```ts
   * const title = todo.getString("title");
   * ```
   */
  getString(name: string): string | null {
    const value = this.get(name);
    return value === null ? null : value.asString();
  }

  /**
   * A number member; `fallback` when it is absent or something else.
   *
   * ```ts
   * const price = item.getNumber("price");
   * if (isNaN(price)) faults.push("price: want a number");
   * ```
   */
  getNumber(name: string, fallback: f64 = NaN): f64 {
    const value = this.get(name);
    return value === null ? fallback : value.asNumber(fallback);
  }

  /**
   * A whole number member that fits an `i64`; `fallback` when it is absent or something else.
   *
   * ```ts
   * const page = query.getInteger("page", 1);
   * ```
   */
  getInteger(name: string, fallback: i64 = 0): i64 {
    const value = this.get(name);
    return value === null ? fallback : value.asInteger(fallback);
  }

  /**
   * A bool member; `fallback` when it is absent or something else.
   *
   * ```ts
   * const done = todo.getBool("done");
   * ```
   */
  getBool(name: string, fallback: bool = false): bool {
    const value = this.get(name);
    return value === null ? fallback : value.asBool(fallback);
  }

  /**
   * An array member; `null` when it is absent or something else.
   *
   * ```ts
   * const tags = todo.getArray("tags");
   * ```
   */
  getArray(name: string): JsonArray | null {
    const value = this.get(name);
    return value === null ? null : value.asArray();
  }

  /**
   * An object member; `null` when it is absent or something else.
   *
   * ```ts
   * const address = person.getObject("address");
   * ```
   */
  getObject(name: string): JsonObject | null {
    const value = this.get(name);
    return value === null ? null : value.asObject();
  }

  /** For the SDK: adds the JSON text in pieces. */
  override write(parts: string[]): void {
    const names = this.members.keys();
    parts.push("{");
    for (let i = 0; i < names.length; i++) {
      if (i > 0) parts.push(",");
      parts.push(quoteJson(names[i]));
      parts.push(":");
      this.members.get(names[i]).write(parts);
    }
    parts.push("}");
  }
}

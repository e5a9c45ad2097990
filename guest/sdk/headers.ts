// A list of HTTP header fields: what `req.headers` and `res.headers` are. Names are compared
// without regard to case, as HTTP does; the order is kept.

import { sameName } from "./header-name";

/**
 * The header fields of a request or a response.
 *
 * A value is a string of the code points U+0000 to U+00FF, one for each byte on the wire, as in the
 * Fetch standard. To send other characters, encode them first, for example as percent escapes.
 *
 * ```ts
 * const headers = new Headers();
 * headers.set("cache-control", "no-store");
 * headers.append("vary", "accept");
 * headers.get("Cache-Control"); // "no-store"
 * ```
 */
export class Headers {
  // Name, value, name, value …
  private fields: string[] = [];

  /**
   * How many fields there are; a name that came twice counts twice.
   *
   * ```ts
   * for (let i = 0; i < req.headers.length; i++) {
   *   log.info(req.headers.nameAt(i) + ": " + req.headers.valueAt(i));
   * }
   * ```
   */
  get length(): i32 {
    return this.fields.length >> 1;
  }

  /**
   * The value of `name`, or `null` when there is none. Several values are joined with `", "`.
   *
   * ```ts
   * const type = req.headers.get("content-type");
   * ```
   */
  get(name: string): string | null {
    const values = this.getAll(name);
    return values.length === 0 ? null : values.join(", ");
  }

  /**
   * Every value of `name` in order; empty when there is none.
   *
   * ```ts
   * const links = req.headers.getAll("link");
   * ```
   */
  getAll(name: string): string[] {
    const values: string[] = [];
    for (let i = 0; i < this.length; i++) {
      if (sameName(this.nameAt(i), name)) values.push(this.valueAt(i));
    }
    return values;
  }

  /**
   * Whether there is a field `name`.
   *
   * ```ts
   * if (!req.headers.has("authorization")) return Response.text("Who are you?", 401);
   * ```
   */
  has(name: string): bool {
    for (let i = 0; i < this.length; i++) {
      if (sameName(this.nameAt(i), name)) return true;
    }
    return false;
  }

  /**
   * Sets `name` to one value; earlier values are gone. Throws when the value could not be sent.
   *
   * ```ts
   * res.headers.set("cache-control", "max-age=60");
   * ```
   */
  set(name: string, value: string): void {
    checkValue(name, value);
    for (let i = 0; i < this.length; i++) {
      if (!sameName(this.nameAt(i), name)) continue;
      this.fields[(i << 1) + 1] = value;
      this.deleteFrom(i + 1, name);
      return;
    }
    this.add(name, value);
  }

  /**
   * Adds a value beside those `name` already has. Throws when the value could not be sent.
   *
   * ```ts
   * res.headers.append("set-cookie", "theme=dark; Path=/");
   * res.headers.append("set-cookie", "lang=en; Path=/");
   * ```
   */
  append(name: string, value: string): void {
    checkValue(name, value);
    this.add(name, value);
  }

  /**
   * Removes every field `name`.
   *
   * ```ts
   * res.headers.delete("content-type");
   * ```
   */
  delete(name: string): void {
    this.deleteFrom(0, name);
  }

  /**
   * The name of the field at `index`, from 0 to `length - 1`; request names are lower case.
   *
   * ```ts
   * const first = req.headers.nameAt(0);
   * ```
   */
  nameAt(index: i32): string {
    return this.fields[index << 1];
  }

  /**
   * The value of the field at `index`, from 0 to `length - 1`.
   *
   * ```ts
   * const first = req.headers.valueAt(0);
   * ```
   */
  valueAt(index: i32): string {
    return this.fields[(index << 1) + 1];
  }

  /** For the SDK: adds a field that is known to be good. */
  add(name: string, value: string): void {
    this.fields.push(name);
    this.fields.push(value);
  }

  private deleteFrom(start: i32, name: string): void {
    for (let i = this.length - 1; i >= start; i--) {
      if (sameName(this.nameAt(i), name)) this.fields.splice(i << 1, 2);
    }
  }
}

// The host checks again; failing here names the line in the function that set the value.
function checkValue(name: string, value: string): void {
  for (let i = 0; i < value.length; i++) {
    const unit = value.charCodeAt(i);
    if (unit > 0xff)
      throw new RangeError("Header " + name + " holds a character above U+00FF, encode it first");
    if (unit === 0 || unit === 0x0a || unit === 0x0d) {
      throw new RangeError("Header " + name + " holds a line break or a zero byte");
    }
  }
}

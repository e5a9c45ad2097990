// The body of a request that is read as it comes.

import { body_read } from "./host/mayfly";

/**
 * Reads a request's body piece by piece: it may be larger than the function's memory, and the function
 * begins before all of it has come. `req.stream()` gives one.
 *
 * ```ts
 * const body = req.stream();
 * for (let chunk = body.read(); chunk !== null; chunk = body.read()) total += chunk.length;
 * ```
 */
export class BodyStream {
  private ended: bool = false;

  /**
   * The next bytes, at least one and `max` at most; `null` at the end. Waits until there are some.
   *
   * ```ts
   * const chunk = body.read(4096);
   * ```
   */
  read(max: i32 = 65536): Uint8Array | null {
    if (max < 1) throw new RangeError("Cannot read " + max.toString() + " bytes, want 1 or more");
    if (this.ended) return null;
    const bytes = new Uint8Array(max);
    const length = body_read(bytes.dataStart, <usize>max);
    if (length > 0) return length === max ? bytes : bytes.subarray(0, length);
    this.ended = true;
    return null;
  }

  /**
   * Reads into a buffer of your own, which costs no memory for each piece: the number of bytes, 0 at the end.
   *
   * ```ts
   * const length = body.readInto(buffer);
   * ```
   */
  readInto(buffer: Uint8Array): i32 {
    if (this.ended || buffer.length === 0) return 0;
    const length = body_read(buffer.dataStart, <usize>buffer.length);
    if (length === 0) this.ended = true;
    return length;
  }
}

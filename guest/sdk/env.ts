// The function's configured variables.

import { env_get, result_read } from "./host/mayfly";
import { decodeUtf8, utf8Bytes } from "./utf8";

/**
 * The function's variables, set with `mayfly deploy --env NAME=VALUE` or `mayfly config`.
 *
 * ```ts
 * const greeting = env.get("GREETING");
 * ```
 */
export namespace env {
  /**
   * The value of a variable, or `null` when it is not set.
   *
   * ```ts
   * const level = env.get("LEVEL");
   * const verbose = level !== null && level === "debug";
   * ```
   */
  export function get(name: string): string | null {
    const key = utf8Bytes(name);
    const length = env_get(key.dataStart, <usize>key.length);
    if (length < 0) return null;
    const value = new ArrayBuffer(length);
    result_read(changetype<usize>(value));
    return decodeUtf8(changetype<usize>(value), length);
  }
}

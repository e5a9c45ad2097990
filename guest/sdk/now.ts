// The clock.

import { now as hostNow } from "./host/mayfly";

/**
 * The time now, in whole milliseconds since 1970-01-01T00:00:00Z.
 *
 * ```ts
 * const expires = now() + 60 * 1000;
 * ```
 */
export function now(): i64 {
  return <i64>hostNow();
}

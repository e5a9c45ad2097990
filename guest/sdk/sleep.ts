// Waiting.

import { sleep as hostSleep } from "./host/mayfly";

/**
 * Waits so many milliseconds; nothing of it counts as CPU time, and the thread runs other calls
 * meanwhile. The function's time-out goes on.
 *
 * ```ts
 * sleep(250);
 * ```
 */
export function sleep(ms: i32): void {
  hostSleep(<f64>ms);
}

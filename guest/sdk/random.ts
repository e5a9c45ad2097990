// Random bytes from the host.

import { random as fillRandom } from "./host/mayfly";

/**
 * Random bytes from the host's cryptographic generator, at most 65,536 in one call. Not available
 * while the module starts: call it from `handle`, not in a global initialiser.
 *
 * ```ts
 * const token = random(16);
 * ```
 */
export function random(bytes: i32): Uint8Array {
  if (bytes < 0 || bytes > 65536)
    throw new RangeError("Cannot make " + bytes.toString() + " random bytes, want 0 to 65536");
  const filled = new Uint8Array(bytes);
  fillRandom(filled.dataStart, <usize>bytes);
  return filled;
}

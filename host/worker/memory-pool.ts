// Memories of ended calls, zeroed and kept for the next call with the same bounds: making one costs
// several times more than zeroing a small one, and freeing them is what the tail of a cold start is
// made of (docs/threat-model.md H14). A memory that grew or is large is dropped instead.

import type { MemoryBounds } from "./protocol.ts";

/** Pages up to which zeroing is cheaper than a new memory; 16 pages zero in about 26 us, and a new page costs more when it is first touched. */
const pooledPagesMax = 32;
/** Idle memories kept per thread and bounds; a thread runs one call at a time. */
const keptPerBounds = 4;
/** Idle memories kept per thread, all bounds together: each reserves 8 GiB of address space. */
const keptMax = 12;

const pageBytes = 65_536;

export class MemoryPool {
  readonly #idle = new Map<string, WebAssembly.Memory[]>();
  #kept = 0;

  /** A memory of `initialPages` zeroed pages that can grow to `maximumPages`. */
  take(bounds: MemoryBounds): WebAssembly.Memory {
    const kept = this.#idle.get(keyOf(bounds))?.pop();
    if (kept !== undefined) {
      this.#kept -= 1;
      return kept;
    }
    return new WebAssembly.Memory({ initial: bounds.initialPages, maximum: bounds.maximumPages });
  }

  /** Takes a memory back; no instance that holds it may run again. */
  give(bounds: MemoryBounds, memory: WebAssembly.Memory): void {
    const grew = memory.buffer.byteLength !== bounds.initialPages * pageBytes;
    if (grew || bounds.initialPages > pooledPagesMax) return;
    const key = keyOf(bounds);
    let idle = this.#idle.get(key);
    if (idle !== undefined && idle.length >= keptPerBounds) return;
    if (this.#kept >= keptMax) {
      // What other functions left behind makes room for what is asked for now.
      this.#idle.clear();
      this.#kept = 0;
      idle = undefined;
    }
    if (idle === undefined) {
      idle = [];
      this.#idle.set(key, idle);
    }
    new Uint8Array(memory.buffer).fill(0);
    idle.push(memory);
    this.#kept += 1;
  }
}

function keyOf(bounds: MemoryBounds): string {
  return `${bounds.initialPages}:${bounds.maximumPages}`;
}

// Compiled modules under their keys, least recently used first out: bounded in number and in the
// bytes that V8 keeps of them. On the engine's path of every call, on the main thread and in workers.

import { limits } from "./limits.ts";

export type ModuleBounds = { readonly count: number; readonly bytes: number };

const boundsDefault: ModuleBounds = { count: limits.modulesCachedMax, bytes: limits.modulesCachedBytesMax };

export class ModuleLru<entry extends { readonly moduleBytes: number }> {
  readonly #entries = new Map<string, entry>();
  readonly #bounds: ModuleBounds;
  #bytes = 0;

  constructor(bounds: ModuleBounds = boundsDefault) {
    this.#bounds = bounds;
  }

  get count(): number {
    return this.#entries.size;
  }

  get(key: string): entry | undefined {
    const found = this.#entries.get(key);
    if (found === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, found);
    return found;
  }

  /** Keeps an entry, and lets the oldest go; one that alone is over the bounds is not kept. */
  put(key: string, entry: entry): void {
    this.drop(key);
    this.#entries.set(key, entry);
    this.#bytes += entry.moduleBytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#bounds.count && this.#bytes <= this.#bounds.bytes) return;
      this.drop(oldest);
    }
  }

  drop(key: string): void {
    this.#bytes -= this.#entries.get(key)?.moduleBytes ?? 0;
    this.#entries.delete(key);
  }
}

// Compiled modules under their keys, least recently used first out: bounded in number and in the
// bytes that V8 keeps of them. On the engine's path of every call, on the main thread and in workers:
// a use is a stamp, not a change of the map (fifo.ts says why), and who is oldest is looked for when one
// has to go.

import { limits } from "./limits.ts";

export type ModuleBounds = { readonly count: number; readonly bytes: number };

const boundsDefault: ModuleBounds = { count: limits.modulesCachedMax, bytes: limits.modulesCachedBytesMax };

export class ModuleLru<key extends string | number, entry extends { readonly moduleBytes: number }> {
  readonly #entries = new Map<key, { readonly entry: entry; usedAt: number }>();
  readonly #bounds: ModuleBounds;
  #bytes = 0;
  #uses = 0;

  constructor(bounds: ModuleBounds = boundsDefault) {
    this.#bounds = bounds;
  }

  get count(): number {
    return this.#entries.size;
  }

  get(key: key): entry | undefined {
    const found = this.#entries.get(key);
    if (found === undefined) return undefined;
    found.usedAt = ++this.#uses;
    return found.entry;
  }

  /** Keeps an entry, and lets the oldest go; one that alone is over the bounds is not kept. */
  put(key: key, entry: entry): void {
    this.drop(key);
    this.#entries.set(key, { entry, usedAt: ++this.#uses });
    this.#bytes += entry.moduleBytes;
    while (this.#entries.size > this.#bounds.count || this.#bytes > this.#bounds.bytes) {
      this.drop(this.#leastRecent());
    }
  }

  #leastRecent(): key {
    let oldest: key | null = null;
    let usedAt = Number.POSITIVE_INFINITY;
    for (const [key, entry] of this.#entries) {
      if (entry.usedAt >= usedAt) continue;
      oldest = key;
      usedAt = entry.usedAt;
    }
    if (oldest === null) throw new Error("Nothing is kept, and it is too much");
    return oldest;
  }

  /** Lets all go whose keys hold this text. */
  dropAll(text: string): void {
    for (const key of this.#entries.keys()) if (String(key).includes(text)) this.drop(key);
  }

  drop(key: key): void {
    this.#bytes -= this.#entries.get(key)?.entry.moduleBytes ?? 0;
    this.#entries.delete(key);
  }
}

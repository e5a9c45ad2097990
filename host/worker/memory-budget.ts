// What the memories of live calls hold, over all threads, against the host's budget: many calls live at
// once, and each may grow to its own limit. Counted in a cell of shared memory, and once more in one of
// the thread's own, so that what a thread held when it died can be taken off.

const pageBytes = 65_536;

export class MemoryBudget {
  readonly #total: Int32Array;
  readonly #own: Int32Array;
  readonly #pagesMax: number;

  constructor(total: Int32Array, own: Int32Array, pagesMax: number) {
    this.#total = total;
    this.#own = own;
    this.#pagesMax = pagesMax;
  }

  /** Holds `pages` more; false when there is no room for them. */
  hold(pages: number): boolean {
    if (pages === 0) return true;
    if (Atomics.add(this.#total, 0, pages) + pages > this.#pagesMax) {
      Atomics.sub(this.#total, 0, pages);
      return false;
    }
    Atomics.add(this.#own, 0, pages);
    return true;
  }

  /** Whether `pages` more could be held now, for one who is done before anybody else on this thread holds more. */
  hasRoom(pages: number): boolean {
    return Atomics.load(this.#total, 0) + pages <= this.#pagesMax;
  }

  release(pages: number): void {
    Atomics.sub(this.#total, 0, pages);
    Atomics.sub(this.#own, 0, pages);
  }
}

/** The memory of one call, and what the host keeps for its guest, as far as they have been counted. */
export class HeldMemory {
  readonly #budget: MemoryBudget;
  #memory: WebAssembly.Memory | null = null;
  #pages = 0;
  #pagesMax = 0;
  #resultPages = 0;
  #filePages = 0;
  readonly #now: () => number;
  #sinceMs = 0;
  #pageMs = 0;

  constructor(budget: MemoryBudget, now: () => number) {
    this.#budget = budget;
    this.#now = now;
  }

  /** What was held until it ended, or last changed: pages of 64 KiB times milliseconds. */
  get pageMs(): number {
    return this.#pageMs;
  }

  /** Counts a memory of at most `pagesMax` from now on; false when there is no room for it. */
  begin(memory: WebAssembly.Memory | null, pagesMax: number): boolean {
    this.#memory = memory;
    this.#pagesMax = pagesMax;
    this.#sinceMs = this.#now();
    return this.recount();
  }

  /** Counts `pages` that it is about to grow by; false when there is no room for them. */
  grow(pages: number): boolean {
    // What its own maximum is going to refuse takes no room.
    if (this.#pages + pages > this.#pagesMax) return true;
    if (!this.#budget.hold(pages)) return false;
    this.#measure();
    this.#pages += pages;
    return true;
  }

  /** Counts what a guest that asks nobody has grown by since; false when there is no room for that. */
  recount(): boolean {
    if (this.#memory === null) return true;
    const pages = this.#memory.buffer.byteLength / pageBytes;
    if (pages === this.#pages) return true;
    if (!this.#budget.hold(pages - this.#pages)) return false;
    this.#measure();
    this.#pages = pages;
    return true;
  }

  /** Counts the result that the host keeps for the guest, in place of the last; false without room. */
  keepResult(bytes: number): boolean {
    const pages = Math.ceil(bytes / pageBytes);
    if (pages === this.#resultPages) return true;
    if (!this.#budget.hold(pages - this.#resultPages)) return false;
    this.#measure();
    this.#resultPages = pages;
    return true;
  }

  /** Counts the files that the host keeps for the guest; false without room. */
  keepFiles(bytes: number): boolean {
    const pages = Math.ceil(bytes / pageBytes);
    if (pages === this.#filePages) return true;
    if (!this.#budget.hold(pages - this.#filePages)) return false;
    this.#measure();
    this.#filePages = pages;
    return true;
  }

  end(): void {
    this.#measure();
    this.#budget.release(this.#pages + this.#resultPages + this.#filePages);
    this.#filePages = 0;
    this.#pages = 0;
    this.#resultPages = 0;
    this.#memory = null;
  }

  /** What is held is about to change. */
  #measure(): void {
    const nowMs = this.#now();
    this.#pageMs += (this.#pages + this.#resultPages + this.#filePages) * (nowMs - this.#sinceMs);
    this.#sinceMs = nowMs;
  }
}

// The last so many of a kind, oldest thrown away first.

export class Ring<item> {
  readonly #items: item[] = [];
  readonly #max: number;
  /** Where the next one goes once there are that many. */
  #next = 0;

  constructor(max: number) {
    this.#max = max;
  }

  push(item: item): void {
    if (this.#items.length < this.#max) {
      this.#items.push(item);
      return;
    }
    this.#items[this.#next] = item;
    this.#next = (this.#next + 1) % this.#max;
  }

  /** Up to `limit` that are wanted, the newest first. */
  newest(isWanted: (item: item) => boolean, limit: number): item[] {
    const found: item[] = [];
    const { length } = this.#items;
    for (let back = 1; back <= length && found.length < limit; back += 1) {
      const item = this.#items[(this.#next + length - back) % length] as item;
      if (isWanted(item)) found.push(item);
    }
    return found;
  }
}

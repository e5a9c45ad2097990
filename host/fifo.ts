// A queue on a ring of array cells. Sets and maps whose members come and go with every call are not
// for hot paths: V8 lets each outgrown table of one point to the next, so that a dead table which has
// become old keeps all later ones, and the calls in them, from the cheap collections of young objects.

export class Fifo<item> {
  #cells: (item | undefined)[] = new Array(16);
  #head = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(item: item): void {
    if (this.#size === this.#cells.length) this.#grow();
    this.#cells[(this.#head + this.#size) & (this.#cells.length - 1)] = item;
    this.#size += 1;
  }

  /** Takes the oldest item out; undefined when there is none. */
  shift(): item | undefined {
    if (this.#size === 0) return undefined;
    const item = this.#cells[this.#head];
    this.#cells[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#cells.length - 1);
    this.#size -= 1;
    return item;
  }

  #grow(): void {
    const cells = this.#cells;
    const grown: (item | undefined)[] = new Array(cells.length * 2);
    for (let index = 0; index < this.#size; index += 1) {
      grown[index] = cells[(this.#head + index) & (cells.length - 1)];
    }
    this.#cells = grown;
    this.#head = 0;
  }
}

// Writes answers a few at a time. A write to a connection whose other end sleeps wakes it, which costs
// the writer several times the write itself: after a few in a row the other end is awake still, and an
// answer waits for no more than those that come in the same turn of the event loop.

/** So many are written without waiting for more; a reader has something to do while the next ones come. */
const batchMax = 16;

export class AnswerBatch {
  #writes: (() => void)[] = [];

  /** Calls `write` before the event loop turns; it must not throw. */
  add(write: () => void): void {
    this.#writes.push(write);
    if (this.#writes.length >= batchMax) this.#flush();
    else if (this.#writes.length === 1) setImmediate(() => this.#flush());
  }

  #flush(): void {
    const writes = this.#writes;
    this.#writes = [];
    for (const write of writes) write();
  }
}

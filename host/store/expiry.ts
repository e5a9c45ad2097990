// Removes what has expired, when the first of it has: one timer, none while nothing is to expire.

export type Expiring = {
  /** Unix milliseconds at which the next of it expires, or null. */
  nextExpiryMs(): number | null;
  /** Removes at most `max` that have expired; how many it were. */
  expire(max: number): Promise<number>;
};

/** At one time; the rest follows at once, and others' changes get in between. */
const removedMax = 1_000;
/** A timer waits no longer: wall clocks are set, and timers do not notice. */
const restMsMax = 3_600_000;

export class Expiry {
  readonly #store: Expiring;
  readonly #onFault: (error: unknown) => void;
  #timer: NodeJS.Timeout | null = null;
  #atMs = Number.POSITIVE_INFINITY;
  #closed = false;

  constructor(store: Expiring, onFault: (error: unknown) => void) {
    this.#store = store;
    this.#onFault = onFault;
    this.#schedule(store.nextExpiryMs());
  }

  /** Something is to expire at that time, Unix ms. */
  noted(atMs: number | null): void {
    if (atMs !== null && atMs < this.#atMs) this.#schedule(atMs);
  }

  /** What is to expire may have changed. */
  look(): void {
    this.noted(this.#store.nextExpiryMs());
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #schedule(atMs: number | null): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#atMs = atMs ?? Number.POSITIVE_INFINITY;
    if (atMs === null || this.#closed) return;
    const restMs = Math.min(restMsMax, Math.max(1, atMs - Date.now()));
    this.#timer = setTimeout(() => void this.#run(), restMs);
    this.#timer.unref();
  }

  async #run(): Promise<void> {
    try {
      while ((await this.#store.expire(removedMax)) === removedMax && !this.#closed);
      if (!this.#closed) this.#schedule(this.#store.nextExpiryMs());
    } catch (error) {
      // A full disk, or a writer that has ended: tried again after a while, unless the process ends first.
      this.#onFault(error);
      this.#schedule(Date.now() + 60_000);
    }
  }
}

// How many of something may be under way, fetches or lookups of names: of each function, so that one with a slow peer takes no place from
// the others, and of the host.

import { Semaphore } from "../http/semaphore.ts";

type OfFunction = { readonly semaphore: Semaphore; users: number };

export class Places {
  readonly #host: Semaphore;
  readonly #perFunction: number;
  readonly #functions = new Map<string, OfFunction>();

  constructor(host: number, perFunction: number) {
    this.#host = new Semaphore(host);
    this.#perFunction = perFunction;
  }

  /** A place, given back when disposed; rejects with the signal's reason when that comes first. */
  async take(name: string, signal?: AbortSignal): Promise<Disposable> {
    let own = this.#functions.get(name);
    if (own === undefined) {
      own = { semaphore: new Semaphore(this.#perFunction), users: 0 };
      this.#functions.set(name, own);
    }
    const of = own;
    of.users += 1;
    using undo = new DisposableStack();
    undo.defer(() => {
      of.users -= 1;
      if (of.users === 0) this.#functions.delete(name);
    });
    undo.use(await of.semaphore.take(signal));
    undo.use(await this.#host.take(signal));
    return undo.move();
  }
}

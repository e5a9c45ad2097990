// How many fetches may be under way: of each function, so that one with a slow peer takes no place from
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

  /** A place, given back when disposed. */
  async take(name: string): Promise<Disposable> {
    let own = this.#functions.get(name);
    if (own === undefined) {
      own = { semaphore: new Semaphore(this.#perFunction), users: 0 };
      this.#functions.set(name, own);
    }
    const of = own;
    of.users += 1;
    const inFunction = await of.semaphore.take();
    const inHost = await this.#host.take();
    return {
      [Symbol.dispose]: () => {
        inHost[Symbol.dispose]();
        inFunction[Symbol.dispose]();
        of.users -= 1;
        if (of.users === 0) this.#functions.delete(name);
      },
    };
  }
}

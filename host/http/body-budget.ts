// Room in memory for the bodies of requests and answers, all of them together. Bytes are counted as
// they come: what a client only announces takes no room from the others.

import { HostError } from "../errors.ts";
import { limits } from "../limits.ts";

/** What one body, or the answers of one connection, hold of a budget; given back when disposed. */
export type BodyShare = Disposable & {
  /** Counts bytes that came; throws `overloaded` when there is no room for them. */
  add(bytes: number): void;
  /** Gives some of it back. */
  remove(bytes: number): void;
};

export class BodyBudget {
  #held = 0;
  readonly #bytesMax: number;

  constructor(bytesMax: number = limits.bodyBytesHeldMax) {
    this.#bytesMax = bytesMax;
  }

  /** A share for one body, empty at first. */
  share(): BodyShare {
    let held = 0;
    const remove = (bytes: number): void => {
      const given = Math.min(bytes, held);
      this.#held -= given;
      held -= given;
    };
    return {
      add: (bytes) => {
        if (this.#held + bytes > this.#bytesMax) {
          throw new HostError("overloaded", "Cannot take the request: too many bodies are in memory", {
            retryAfterS: 1,
          });
        }
        this.#held += bytes;
        held += bytes;
      },
      remove,
      [Symbol.dispose]: () => remove(held),
    };
  }
}

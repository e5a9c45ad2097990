// The wall-clock limit of one call: one timer, and what is to be undone when it is reached, which
// changes as the call goes on (leave a queue, stop waiting for a compile, stop the guest).

import { HostError } from "../errors.ts";

export class Deadline {
  readonly #timer: NodeJS.Timeout;
  readonly #error: () => HostError;
  #undo: ((error: HostError) => void) | null = null;
  reached = false;

  constructor(timeoutMs: number, name: string) {
    this.#error = () =>
      new HostError("deadline_exceeded", `Function "${name}" ran longer than its limit of ${timeoutMs} ms`);
    this.#timer = setTimeout(() => {
      this.reached = true;
      this.#undo?.(this.#error());
    }, timeoutMs);
  }

  /** Sets what happens at the deadline, in place of what was set before. */
  onReached(undo: (error: HostError) => void): void {
    this.#undo = undo;
    if (this.reached) undo(this.#error());
  }

  /** `work`, or a rejection when the deadline comes first; the work itself goes on. */
  race<value>(work: Promise<value>): Promise<value> {
    return new Promise((resolve, reject) => {
      this.onReached(reject);
      work.then(resolve, reject);
    });
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#undo = null;
  }
}

// Calls that wait, by function: the functions take turns, and within one the oldest call goes first.

import type { PoolCall } from "./pool.ts";

export class FairQueue {
  /** In the order of their turns. */
  readonly #byFunction = new Map<string, Set<PoolCall>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Functions that have calls here. */
  get functions(): number {
    return this.#byFunction.size;
  }

  add(call: PoolCall): void {
    const calls = this.#byFunction.get(call.functionName);
    if (calls === undefined) this.#byFunction.set(call.functionName, new Set([call]));
    else calls.add(call);
    this.#size += 1;
  }

  /**
   * Offers the oldest call of each function, by turns, as long as some are taken; one that is refused
   * stays where it is, and its function's turn is over. No more than `refusalsMax` in a row are borne.
   */
  offer(take: (call: PoolCall) => boolean, refusalsMax: number): void {
    let refusals = 0;
    while (refusals < Math.min(refusalsMax, this.#byFunction.size)) {
      const [[name, calls]] = this.#byFunction as Iterable<[string, Set<PoolCall>]> as [
        [string, Set<PoolCall>],
      ];
      this.#byFunction.delete(name);
      this.#byFunction.set(name, calls);
      const [call] = calls as Iterable<PoolCall> as [PoolCall];
      if (take(call)) {
        refusals = 0;
        this.delete(call);
      } else refusals += 1;
    }
  }

  delete(call: PoolCall): boolean {
    const calls = this.#byFunction.get(call.functionName);
    if (calls?.delete(call) !== true) return false;
    if (calls.size === 0) this.#byFunction.delete(call.functionName);
    this.#size -= 1;
    return true;
  }

  clear(): void {
    this.#byFunction.clear();
    this.#size = 0;
  }

  *[Symbol.iterator](): Iterator<PoolCall> {
    for (const calls of this.#byFunction.values()) yield* calls;
  }
}

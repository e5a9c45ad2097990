// The shared pool, and one for each function that is to have threads of its own (`isolation: dedicated`).
// Those come with a call, and go when their last thread has ended for want of work: a function that is
// not called costs nothing.

import { HostError } from "../errors.ts";
import { limits } from "../limits.ts";
import { Pool, type PoolCall, type PoolOptions } from "./pool.ts";
import { threadCells } from "./threads.ts";

export type PoolsOptions = Omit<PoolOptions, "onIdle" | "cells"> & {
  /** A pool is no more; no call waits for it. */
  readonly onEnded: (pool: Pool) => void;
};

/** Guests that are not metered may have objects on their thread's heap: it ends before it takes the machine's memory. */
const ownHeapMbMax = 512;

export class Pools {
  readonly #options: PoolsOptions;
  readonly #shared: Pool;
  readonly #own = new Map<string, Pool>();
  /** What all threads that run guests share. */
  readonly cells = threadCells();

  constructor(options: PoolsOptions) {
    this.#options = options;
    this.#shared = new Pool({ ...options, cells: this.cells });
  }

  /** Threads alive, those that are starting included. */
  get threads(): number {
    return this.#all.reduce((sum, { threads }) => sum + threads, 0);
  }

  /** Bytes that the memories of live calls hold. */
  get heldBytes(): number {
    return this.#shared.heldBytes;
  }

  /** The pool on whose threads a call is to run; throws `overloaded` when there are too many. */
  of({ ownThreads, functionName }: Pick<PoolCall, "ownThreads" | "functionName">): Pool {
    if (!ownThreads) return this.#shared;
    const own = this.#own.get(functionName);
    if (own !== undefined) return own;
    if (this.#own.size >= limits.ownPoolsMax) this.#endIdle();
    const pool: Pool = new Pool({
      ...this.#options,
      cells: this.cells,
      heapMbMax: ownHeapMbMax,
      minThreads: 0,
      maxThreads: Math.min(this.#options.maxThreads, limits.ownThreadsMax),
      onIdle: () => this.#end(functionName, pool),
    });
    this.#own.set(functionName, pool);
    return pool;
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((pool) => pool.close()));
  }

  get #all(): readonly Pool[] {
    return [this.#shared, ...this.#own.values()];
  }

  /** Makes room for another function, by the pool that has been there longest of those with nothing to run. */
  #endIdle(): void {
    for (const [name, pool] of this.#own) if (pool.isIdle) return this.#end(name, pool);
    throw new HostError(
      "overloaded",
      `Cannot take the call: ${this.#own.size} functions are running on threads of their own`,
      { retryAfterS: 1 },
    );
  }

  #end(name: string, pool: Pool): void {
    if (this.#own.get(name) !== pool) return;
    this.#own.delete(name);
    this.#options.onEnded(pool);
    pool.close().catch(this.#options.onFault);
  }
}

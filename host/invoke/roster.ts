// Which threads are alive, from their start to their exit: frees the running record's cell of one that
// has ended, and tells of one that ended before it had started. Piscina tells of a thread only once
// it has started, so the pool has its list looked over whenever it may have changed.

import type { Worker } from "node:worker_threads";
import { releaseThreadSlot } from "../worker/running-record.ts";

export type RosterParts = {
  /** One cell a thread of the running record: its threadId, or 0; the threads take them. */
  readonly slots: Int32Array<SharedArrayBuffer>;
  /** File of the running record, "" for none. */
  readonly runningFile: string;
  readonly onExit: (hadStarted: boolean) => void;
  /** The record could not be written. */
  readonly onFault: (error: unknown) => void;
};

export class Roster {
  readonly #parts: RosterParts;
  readonly #alive = new Map<number, { started: boolean }>();

  constructor(parts: RosterParts) {
    this.#parts = parts;
  }

  /** Takes in the threads that are new. */
  observe(workers: readonly Worker[]): void {
    for (const worker of workers) {
      const { threadId } = worker;
      // One that has ended has no id any more.
      if (threadId < 0 || this.#alive.has(threadId)) continue;
      this.#alive.set(threadId, { started: false });
      worker.once("exit", () => this.#exited(threadId));
    }
  }

  started(threadId: number): void {
    const thread = this.#alive.get(threadId);
    if (thread !== undefined) thread.started = true;
  }

  #exited(threadId: number): void {
    const hadStarted = this.#alive.get(threadId)?.started === true;
    this.#alive.delete(threadId);
    try {
      // Nothing of it can write there any more.
      releaseThreadSlot(this.#parts.slots, threadId, this.#parts.runningFile);
    } catch (error) {
      this.#parts.onFault(error);
    }
    this.#parts.onExit(hadStarted);
  }
}

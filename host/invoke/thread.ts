// What the pool knows of one worker thread: what it was given, what it holds, and since when its
// present call runs. Plain state with its readings; the pool acts on it.

import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { limits } from "../limits.ts";
import type { LogBatch } from "../worker/protocol.ts";
import type { ThreadLoad } from "./balancer.ts";
import type { PoolCall, StopCode } from "./pool.ts";

/** A call that has been handed to Piscina. */
export type Posted = {
  readonly call: PoolCall;
  readonly slot: number;
  /** What calls of its version took lately, ms. */
  readonly expectedMs: number;
  /** Null while Piscina waits for a thread. */
  thread: Thread | null;
  settled: boolean;
  /** Why it was asked to stop, and what waits for it to do so. */
  stop: { readonly code: StopCode; readonly timer: NodeJS.Timeout } | null;
};

/** A begun call under watch. CPU times are the thread's own clock, in ms. */
export type Watched = {
  readonly posted: Posted;
  readonly sinceMs: number;
  /** The thread's CPU time when the watch began; null until it has answered. */
  cpuStartMs: number | null;
  asking: boolean;
};

export class Thread {
  readonly threadId: number;
  readonly posted = new Set<Posted>();
  watched: Watched | null = null;
  ending = false;
  readonly #logPort: MessagePort;
  /** Deployments whose set-up it has been given; it may have let some go. */
  readonly #keys = new Set<string>();

  constructor(threadId: number, logPort: MessagePort) {
    this.threadId = threadId;
    this.#logPort = logPort;
    logPort.unref();
  }

  has(key: string): boolean {
    return this.#keys.has(key);
  }

  /** Notes that it gets what a deployment needs; false when it has had it. */
  give(key: string): boolean {
    if (this.#keys.has(key)) return false;
    // Names of modules it let go long ago: it is given again what it still has.
    if (this.#keys.size >= 2 * limits.modulesCachedMax) this.#keys.clear();
    this.#keys.add(key);
    return true;
  }

  /** It said that it lacks what it was given. */
  lacks(key: string): void {
    this.#keys.delete(key);
  }

  /** Whether calls should not wait behind what it runs now. */
  stalled(nowMs: number): boolean {
    if (this.ending) return true;
    return this.watched !== null && nowMs - this.watched.sinceMs >= limits.threadStallMs;
  }

  load(key: string, nowMs: number): ThreadLoad {
    let backlogMs = 0;
    for (const posted of this.posted) backlogMs += posted.expectedMs;
    return {
      threadId: this.threadId,
      posted: this.posted.size,
      backlogMs,
      hasModule: this.#keys.has(key),
      stalled: this.stalled(nowMs),
    };
  }

  /** Hands the log lines that have arrived to their calls; synchronous, so they precede the answer. */
  drainLog(): void {
    for (;;) {
      const received = receiveMessageOnPort(this.#logPort);
      if (received === undefined) return;
      const batch = received.message as LogBatch;
      for (const posted of this.posted) {
        if (posted.slot !== batch.slot || posted.settled) continue;
        const [timeMs, level, message] = batch.line;
        posted.call.log({ timeMs, level, message });
      }
    }
  }

  close(): void {
    this.#logPort.close();
  }
}

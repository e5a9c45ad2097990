// Short calls, run on the main thread as they come (docs/decisions/0016-short-calls-inline.md): which
// may be, and that together they never keep its event loop from turning.

import { performance } from "node:perf_hooks";
import type { Deployment } from "../function.ts";
import { type InlineAnswer, InlineRunner } from "../worker/inline-runner.ts";
import { MemoryBudget } from "../worker/memory-budget.ts";
import { type ModuleSetup, mainThreadId } from "../worker/protocol.ts";
import { RunningRecord, takeThreadSlot } from "../worker/running-record.ts";
import { InlinePolicy } from "./inline-policy.ts";
import { pagesHeldMax, type ThreadCells } from "./threads.ts";

/** Time of one turn of the event loop that such calls may take, ms; more of them run on threads. */
const turnMs = 2;
/** A larger memory takes long to zero, and what is copied out of it long to copy; in pages of 64 KiB. */
const pagesMax = 16;
/** The running record of this thread is cleared so late, ms: it costs more than some of the calls. */
const recordRestMs = 10;
const messageBytesMax = 65_536;
/** A call with less of its time left is watched from outside; ms. */
const leftMsMin = 5;

/** What the main thread shares with the others that run guests. */
export type InlineShare = {
  readonly cells: ThreadCells;
  /** File of the running record, "" for none. */
  readonly runningFile: string;
  /** What the memories of live calls may hold together. */
  readonly memoryBytesMax: number;
};

export type InlineRequest = {
  readonly deployment: Deployment;
  readonly setup: ModuleSetup;
  readonly message: Uint8Array;
  /** What is left of the call's time, ms. */
  readonly leftMs: number;
};

export class InlineCalls {
  readonly #runner: Pick<InlineRunner, "run">;
  readonly #isSuspect: (versionId: number) => boolean;
  /** Calls that have come to their end here. */
  count = 0;
  readonly #policy = new InlinePolicy();
  /** What such calls have taken of this turn of the event loop, ms. */
  #turnMs = 0;
  #turning = false;

  /** `isSuspect`: whether a version may be what ended the last process. */
  constructor(runner: Pick<InlineRunner, "run">, isSuspect: (versionId: number) => boolean) {
    this.#runner = runner;
    this.#isSuspect = isSuspect;
  }

  /** Those of the main thread, which takes a slot of the running record for as long as it lives. */
  static ofMainThread(share: InlineShare, isSuspect: (versionId: number) => boolean): InlineCalls {
    const { cells, runningFile, memoryBytesMax } = share;
    // What this thread holds when it dies dies with the count of all.
    const memory = new MemoryBudget(cells.heldPages, new Int32Array(1), pagesHeldMax(memoryBytesMax));
    const record = new RunningRecord(takeThreadSlot(cells.slots, mainThreadId), runningFile, recordRestMs);
    return new InlineCalls(new InlineRunner({ memory, record }), isSuspect);
  }

  /** Whether a call of this deployment may be tried now. */
  mayTry(deployment: Deployment): boolean {
    return (
      this.#turnMs < turnMs &&
      deployment.metered &&
      // Threads of its own, or state that stays on the thread where it is: such calls are never moved.
      deployment.config.isolation !== "dedicated" &&
      deployment.config.isolation !== "reuse" &&
      this.#policy.mayTry(deployment) &&
      !this.#isSuspect(deployment.id)
    );
  }

  /** Runs a call for which `mayTry` holds; null when it has to run on a thread, of which nothing is seen. */
  run({ deployment, setup, message, leftMs }: InlineRequest): InlineAnswer | null {
    const { memory } = setup;
    if (memory !== null && memory.initialPages > pagesMax) return null;
    if (message.byteLength > messageBytesMax || leftMs < leftMsMin) return null;
    const beganMs = performance.now();
    const answer = this.#runner.run(setup, message);
    const ms = performance.now() - beganMs;
    this.#took(ms);
    if (answer === null) {
      this.#policy.gaveUp(deployment);
      return null;
    }
    this.count += 1;
    this.#policy.ended(deployment, ms);
    return answer;
  }

  /** As `InlinePolicy.onThread`. */
  onThread(deployment: Deployment, ms: number | null): void {
    this.#policy.onThread(deployment, ms);
  }

  #took(ms: number): void {
    this.#turnMs += ms;
    if (this.#turning) return;
    this.#turning = true;
    setImmediate(() => {
      this.#turning = false;
      this.#turnMs = 0;
    });
  }
}

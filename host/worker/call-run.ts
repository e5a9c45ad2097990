// One call on a thread, from its first instruction to its end: it runs in slices, gives way after each
// and while a host call waits, and is stopped by a trap. What a guest may use of the CPU is counted
// here, per slice; the wall clock, and whoever else wants the call stopped, say so in its claim cell.

import { type Verdict, verdict } from "../prepared-names.ts";
import type { BusyClock } from "./busy-clock.ts";
import { GuestFault } from "./guest-memory.ts";
import { HeldMemory, type MemoryBudget } from "./memory-budget.ts";
import { claim } from "./protocol.ts";

/** A guest that others wait for gives way after so long, ms. */
const sliceMs = 0.5;
/** Reading the wall clock costs a hundredth of what passes between so many checks of a tight loop. */
const checksPerReading = 8;
/** When more passes between two readings, ms, as in a loop of bulk operations, each check reads. */
const readingsApartMs = 0.25;

export type ThreadShare = {
  readonly claims: Int32Array;
  /** One cell that changes while guests run. */
  readonly heartbeat: Int32Array;
  readonly clock: BusyClock;
  readonly memory: MemoryBudget;
  /** Runs `resume` when the thread is this version's again. */
  readonly line: (versionId: number, resume: () => void) => void;
  /** The guest is leaving the thread's stack; called from on top of it. */
  readonly leaving: () => void;
  /** A guest of this version is about to run. */
  readonly entering: (versionId: number) => void;
  readonly now: () => number;
  /** The call has begun to wait for a host call, or waits no more. */
  readonly waits: (slot: number, waiting: boolean) => void;
};

/** What a host call throws into a guest that is to stop; what ends it, if it goes on, is the next check. */
const stoppedFault = (): GuestFault => new GuestFault("guest_trapped", "the call was stopped");

export class CallRun {
  /** Why it was told to stop: its CPU time, a word from outside, no room for what its memory grew by. */
  stopped: "cpu" | "asked" | "memory" | null = null;
  /** What it holds of the memory budget. */
  readonly held: HeldMemory;
  /** Time in which its guest ran, and in which it waited for host calls, ms by the wall clock. */
  runMs = 0;
  waitMs = 0;
  /** The CPU time of the former, ms. */
  cpuMs = 0;
  readonly #share: ThreadShare;
  readonly #slot: number;
  readonly #versionId: number;
  readonly #cpuMsMax: number;
  #sliceAtMs = 0;
  #checks = 0;
  #nextReading = 1;
  #readAtMs = 0;
  /** Ends the wait for a host call before its time; null when the call does not wait. */
  #interrupt: (() => void) | null = null;
  /** What is to be sent when the guest leaves the thread. */
  #flush: (() => void) | null = null;

  constructor(
    share: ThreadShare,
    { slot, versionId, cpuMs }: { readonly slot: number; readonly versionId: number; readonly cpuMs: number },
  ) {
    this.#share = share;
    this.held = new HeldMemory(share.memory, share.now);
    this.#slot = slot;
    this.#versionId = versionId;
    this.#cpuMsMax = cpuMs;
  }

  /** Its guest runs from now on. */
  enter(): void {
    this.#share.entering(this.#versionId);
    this.#sliceAtMs = this.#share.now();
    this.#readAtMs = this.#sliceAtMs;
  }

  /** Its guest runs no more, for now or for good. */
  leave(): void {
    const { now, clock } = this.#share;
    const wallMs = now() - this.#sliceAtMs;
    this.runMs += wallMs;
    this.cpuMs += clock.cpuMs(wallMs);
    clock.ran(wallMs);
  }

  /** What a metered guest asks about every 100,000 instructions, which are 3 to 30 us. */
  readonly check = (): Verdict => {
    this.#checks += 1;
    return this.#asked(this.#checks >= this.#nextReading);
  };

  /** What it asks after host calls that took time of which metering counts next to nothing. */
  readonly turn = (): Verdict => this.#asked(true);

  #asked(reads: boolean): Verdict {
    const { claims, heartbeat, clock, now } = this.#share;
    // Nobody else writes the cell, and readers want no more than that it changes.
    heartbeat[0] = (heartbeat[0] as number) + 1;
    if (this.#isStopped()) return verdict.stop;
    if (Atomics.load(claims, this.#slot) === claim.stopping) this.stopped = "asked";
    else {
      if (!reads) return verdict.goOn;
      const nowMs = now();
      const isSlow = nowMs - this.#readAtMs > readingsApartMs;
      this.#nextReading = this.#checks + (isSlow ? 1 : checksPerReading);
      this.#readAtMs = nowMs;
      const sliceMsSoFar = nowMs - this.#sliceAtMs;
      if (this.cpuMs + clock.cpuMs(sliceMsSoFar) >= this.#cpuMsMax) this.stopped = "cpu";
      else return sliceMsSoFar >= sliceMs ? verdict.pause : verdict.goOn;
    }
    return verdict.stop;
  }

  /** What a metered guest asks before its memory grows by so many pages of 64 KiB. */
  readonly grow = (pages: number): boolean => this.held.grow(pages);

  keepResult(bytes: number): boolean {
    return this.held.keepResult(bytes);
  }

  keepFiles(bytes: number): boolean {
    return this.held.keepFiles(bytes);
  }

  /** It may be. */
  suspends(): void {}

  onLeaving(flush: () => void): void {
    this.#flush = flush;
  }

  /** What a guest calls when the check said so: resolves when it is its turn again. */
  readonly pause = (): Promise<Verdict> => {
    this.#flush?.();
    this.leave();
    return new Promise((resolve) => {
      this.#share.line(this.#versionId, () => {
        this.enter();
        resolve(this.#isStopped() ? verdict.stop : verdict.goOn);
      });
      this.#share.leaving();
    });
  };

  /**
   * Leaves the thread to others while `work` goes on. Rejects as `work`, or when the call is stopped,
   * which calls `abandon`; either way it is the guest's turn again by then.
   */
  wait<value>(work: Promise<value>, abandon: () => void): Promise<value> {
    const { now, waits, line, leaving } = this.#share;
    if (!this.held.recount()) this.stopped ??= "memory";
    if (this.#isStopped()) {
      abandon();
      return Promise.reject(stoppedFault());
    }
    this.#flush?.();
    this.leave();
    const sinceMs = now();
    waits(this.#slot, true);
    leaving();
    return new Promise((resolve, reject) => {
      const goOn = (settle: () => void): void => {
        if (this.#interrupt === null) return;
        this.#interrupt = null;
        waits(this.#slot, false);
        line(this.#versionId, () => {
          this.waitMs += now() - sinceMs;
          this.enter();
          settle();
        });
      };
      this.#interrupt = () => {
        abandon();
        goOn(() => reject(stoppedFault()));
      };
      work.then(
        (value) => goOn(() => resolve(value)),
        (error: unknown) => goOn(() => reject(error)),
      );
    });
  }

  /** Its claim has become `stopping`: a guest that waits or has given way would not look at it. */
  stop(): void {
    if (Atomics.load(this.#share.claims, this.#slot) !== claim.stopping) return;
    this.stopped ??= "asked";
    this.#interrupt?.();
  }

  #isStopped(): boolean {
    return this.stopped !== null;
  }
}

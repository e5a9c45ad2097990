// Which call is posted when: the functions by turns, each one's calls in the order they came, as far as
// the pool has room, so that a function with a thousand calls keeps no other waiting. Suspects of a
// crash never run together (docs/architecture.md, quarantine), so that the next crash names the one to blame.

import { FairQueue } from "./fair-queue.ts";
import type { Pool, PoolCall, StopCode } from "./pool.ts";

/** Functions in a row whose calls find no room, after which the rest is not tried. */
const refusalsMax = 32;

export class Scheduler {
  readonly #pool: Pick<Pool, "post" | "wants" | "stop">;
  /** Calls that came back without having begun go first. */
  readonly #returned = new FairQueue();
  readonly #waiting = new FairQueue();
  /** Calls of suspects that wait for another suspect to end. */
  readonly #held = new Set<PoolCall>();
  readonly #suspects: Set<number>;
  /** Posted calls of the one suspect that may run now. */
  readonly #suspectCalls = new Set<PoolCall>();
  #closed = false;
  #dispatching = false;

  constructor(pool: Pick<Pool, "post" | "wants" | "stop">, suspects: Iterable<number>) {
    this.#pool = pool;
    this.#suspects = new Set(suspects);
  }

  /** Calls not yet posted. */
  get waiting(): number {
    return this.#returned.size + this.#waiting.size + this.#held.size;
  }

  enqueue(call: PoolCall): void {
    if (this.#closed) return call.settle({ kind: "lost" });
    this.#waiting.add(call);
    this.dispatch();
  }

  /** Puts a call back that had been posted and had not begun. */
  enqueueAgain(call: PoolCall): void {
    if (this.#closed) return call.settle({ kind: "lost" });
    this.#leaveSuspect(call);
    this.#returned.add(call);
    this.dispatch();
  }

  /** The call has ended; true when that, `survived`, clears its version of suspicion. */
  ended(call: PoolCall, survived: boolean): boolean {
    this.#leaveSuspect(call);
    const cleared = survived && this.#suspects.delete(call.versionId);
    this.#release();
    this.dispatch();
    return cleared;
  }

  /** Stops a call wherever it is; it settles with `stopped` once. */
  stop(call: PoolCall, code: StopCode): void {
    const queued = this.#returned.delete(call) || this.#waiting.delete(call) || this.#held.delete(call);
    if (queued) call.settle({ kind: "stopped", code, runMs: null });
    else this.#pool.stop(call, code);
  }

  /** Gives up every call that has not been posted, now and later: the pool is closed. */
  close(): void {
    this.#closed = true;
    const given = [...this.#returned, ...this.#waiting, ...this.#held];
    for (const queue of [this.#returned, this.#waiting, this.#held]) queue.clear();
    for (const call of given) call.settle({ kind: "lost" });
  }

  /** Posts as many calls as there is room for; of those that wait, by turns between their functions. */
  dispatch(): void {
    if (this.#dispatching) return;
    this.#dispatching = true;
    for (const queue of [this.#returned, this.#waiting]) {
      queue.offer((call) => this.#post(call), refusalsMax);
    }
    this.#dispatching = false;
    this.#pool.wants(this.#returned.size + this.#waiting.size);
  }

  /** Whether the call is out of the queue: given to a thread, or held back. */
  #post(call: PoolCall): boolean {
    if (!this.#mayRun(call)) {
      this.#held.add(call);
      return true;
    }
    const posted = this.#pool.post(call);
    if (!posted) this.#suspectCalls.delete(call);
    return posted;
  }

  #mayRun(call: PoolCall): boolean {
    if (!this.#suspects.has(call.versionId)) return true;
    const [running] = this.#suspectCalls;
    if (running !== undefined && running.versionId !== call.versionId) return false;
    this.#suspectCalls.add(call);
    return true;
  }

  #leaveSuspect(call: PoolCall): void {
    if (this.#suspectCalls.delete(call) && this.#suspectCalls.size === 0) this.#release();
  }

  #release(): void {
    for (const call of this.#held) this.#returned.add(call);
    this.#held.clear();
  }
}

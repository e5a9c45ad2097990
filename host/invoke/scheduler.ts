// Which call is posted when: first come, first served, as far as the pool has room. Suspects of a
// crash never run together (docs/architecture.md, quarantine), so that the next crash names the one to blame.

import type { Pool, PoolCall, StopCode } from "./pool.ts";

export class Scheduler {
  readonly #pool: Pick<Pool, "hasRoom" | "post" | "stop">;
  /** Calls that came back without having begun go first. */
  readonly #returned = new Set<PoolCall>();
  readonly #waiting = new Set<PoolCall>();
  /** Calls of suspects that wait for another suspect to end. */
  readonly #held = new Set<PoolCall>();
  readonly #suspects: Set<number>;
  /** Posted calls of the one suspect that may run now. */
  readonly #suspectCalls = new Set<PoolCall>();
  #closed = false;

  constructor(pool: Pick<Pool, "hasRoom" | "post" | "stop">, suspects: Iterable<number>) {
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

  /** Posts as many calls as there is room for. */
  dispatch(): void {
    while (this.#pool.hasRoom()) {
      const call = this.#next();
      if (call === undefined) return;
      this.#pool.post(call);
    }
  }

  #next(): PoolCall | undefined {
    for (const queue of [this.#returned, this.#waiting]) {
      for (const call of queue) {
        queue.delete(call);
        if (this.#mayRun(call)) return call;
        this.#held.add(call);
      }
    }
    return undefined;
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

// Which call is posted when: the functions by turns, each one's calls in the order they came, as far as
// the pool has room, so that a function with a thousand calls keeps no other waiting. Suspects of a
// crash never run together (docs/architecture.md, quarantine), so that the next crash names the one to blame.
// Each pool has a line of its own: who waits for one keeps nobody from the threads of another.

import { FairQueue } from "./fair-queue.ts";
import type { Pool, PoolCall, StopCode } from "./pool.ts";

/** Functions in a row whose calls find no room, after which the rest is not tried. */
const refusalsMax = 32;

/** As much of a pool as the scheduler needs. */
export type CallPool = Pick<Pool, "post" | "wants" | "stop">;

/** The calls of one pool that have not been posted. */
class Line {
  readonly pool: CallPool;
  /** Those that came back without having begun go first. */
  readonly returned = new FairQueue();
  readonly waiting = new FairQueue();
  isDispatching = false;

  constructor(pool: CallPool) {
    this.pool = pool;
  }

  get size(): number {
    return this.returned.size + this.waiting.size;
  }
}

export class Scheduler {
  readonly #poolOf: (call: PoolCall) => CallPool;
  readonly #lines = new Map<CallPool, Line>();
  /** Calls of suspects that wait for another suspect to end. */
  readonly #held = new Set<PoolCall>();
  readonly #suspects: Set<number>;
  /** Posted calls of the one suspect that may run now. */
  readonly #suspectCalls = new Set<PoolCall>();
  #closed = false;

  /** `poolOf` gives the pool on whose threads a call is to run, the same as long as it holds the call. */
  constructor(poolOf: (call: PoolCall) => CallPool, suspects: Iterable<number>) {
    this.#poolOf = poolOf;
    this.#suspects = new Set(suspects);
  }

  /** Whether a version may be what ended the last process. */
  isSuspect(versionId: number): boolean {
    return this.#suspects.has(versionId);
  }

  /** Calls not yet posted. */
  get waiting(): number {
    let waiting = this.#held.size;
    for (const line of this.#lines.values()) waiting += line.size;
    return waiting;
  }

  /** Throws what `poolOf` throws. */
  enqueue(call: PoolCall): void {
    if (this.#closed) return call.settle({ kind: "lost" });
    const line = this.#lineOf(call);
    // Most find nobody before them, and room: they need no place in the line.
    if (line.size === 0 && !line.isDispatching && this.#post(call, line.pool)) return;
    line.waiting.add(call);
    this.#dispatch(line);
  }

  /** Puts a call back that had been posted and had not begun. */
  enqueueAgain(call: PoolCall): void {
    if (this.#closed) return call.settle({ kind: "lost" });
    this.#leaveSuspect(call);
    const line = this.#return(call);
    if (line !== null) this.#dispatch(line);
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
    if (this.#held.delete(call)) return call.settle({ kind: "stopped", code, runMs: null });
    // Its pool is there as long as it waits for it or has it.
    const line = this.#lineOf(call);
    const queued = line.returned.delete(call) || line.waiting.delete(call);
    if (queued) call.settle({ kind: "stopped", code, runMs: null });
    else line.pool.stop(call, code);
  }

  /** A pool is no more: it holds no call, and none waits for it. */
  forget(pool: CallPool): void {
    this.#lines.delete(pool);
  }

  /** Gives up every call that has not been posted, now and later: the pools are closed. */
  close(): void {
    this.#closed = true;
    const given = [...this.#held];
    for (const { returned, waiting } of this.#lines.values()) given.push(...returned, ...waiting);
    this.#held.clear();
    this.#lines.clear();
    for (const call of given) call.settle({ kind: "lost" });
  }

  /** Posts as many calls as there is room for; of those that wait, by turns between their functions. */
  dispatch(): void {
    for (const line of this.#lines.values()) this.#dispatch(line);
  }

  #dispatch(line: Line): void {
    if (line.isDispatching) return;
    line.isDispatching = true;
    for (const queue of [line.returned, line.waiting]) {
      queue.offer((call) => this.#post(call, line.pool), refusalsMax);
    }
    line.isDispatching = false;
    line.pool.wants(line.size);
  }

  #lineOf(call: PoolCall): Line {
    const pool = this.#poolOf(call);
    let line = this.#lines.get(pool);
    if (line === undefined) {
      line = new Line(pool);
      this.#lines.set(pool, line);
    }
    return line;
  }

  /** Puts a call before those that never went; null when there is no pool for it any more. */
  #return(call: PoolCall): Line | null {
    try {
      const line = this.#lineOf(call);
      line.returned.add(call);
      return line;
    } catch {
      call.settle({ kind: "lost" });
      return null;
    }
  }

  /** Whether the call is out of the queue: given to a thread, or held back. */
  #post(call: PoolCall, pool: CallPool): boolean {
    if (!this.#mayRun(call)) {
      this.#held.add(call);
      return true;
    }
    const posted = pool.post(call);
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
    const calls = [...this.#held];
    this.#held.clear();
    for (const call of calls) this.#return(call);
  }
}

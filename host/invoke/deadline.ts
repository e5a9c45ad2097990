// What ends a call before its time: its wall-clock limit, or that nobody waits for it any more. One
// timer, and what is to be undone then, which changes as the call goes on (leave a queue, stop waiting
// for a compile, stop the guest).

import { HostError } from "../errors.ts";
import { monotonicMs } from "../invocation.ts";

export class Deadline {
  /** Why the call is to end; null while it may go on. */
  ended: Error | null = null;
  readonly #timer: NodeJS.Timeout;
  readonly #endsAtMs: number;
  #undo: ((error: Error) => void) | null = null;

  /** Ends a call of function `name` after `timeoutMs`, of which `elapsedMs` have passed. */
  constructor(timeoutMs: number, name: string, elapsedMs = 0) {
    const leftMs = Math.max(0, timeoutMs - elapsedMs);
    this.#endsAtMs = monotonicMs() + leftMs;
    this.#timer = setTimeout(() => this.end(ranTooLong(name, timeoutMs)), leftMs);
  }

  /** Never negative. */
  get remainingMs(): number {
    return Math.max(0, this.#endsAtMs - monotonicMs());
  }

  /** Ends the call for this reason; the first one counts. */
  end(error: Error): void {
    if (this.ended !== null) return;
    this.ended = error;
    this.#undo?.(error);
  }

  /** Sets what happens at the end, in place of what was set before. */
  onEnded(undo: (error: Error) => void): void {
    this.#undo = undo;
    if (this.ended !== null) undo(this.ended);
  }

  /** `work`, or a rejection when the end comes first; the work itself goes on. */
  race<value>(work: Promise<value>): Promise<value> {
    return new Promise((resolve, reject) => {
      this.onEnded(reject);
      work.then(resolve, reject);
    });
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#undo = null;
  }
}

function ranTooLong(name: string, timeoutMs: number): HostError {
  return new HostError(
    "deadline_exceeded",
    `Function "${name}" ran longer than its limit of ${timeoutMs} ms`,
  );
}

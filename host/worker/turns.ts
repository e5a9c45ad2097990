// Who runs next on a thread: new calls in the order they came, and guests that gave way or waited, by
// turns between their versions, so that many calls of one do not keep another's from running. One at a
// time: whoever runs says when it has given the thread back. New calls and the others have the turns of
// the event loop alternately, and a turn ends after `turnMs`: messages and timers are never far.

import { Fifo } from "../fifo.ts";
import { monotonicMs } from "../invocation.ts";

/** After so long the event loop turns before the next one runs, ms. */
const turnMs = 0.5;

const emptyLinesMax = 256;

export type Run = () => void;

/** The guests of one version that go on. */
type Line = Fifo<Run>;

export class Turns {
  readonly #fresh = new Fifo<Run>();
  readonly #lines = new Map<number, Line>();
  /** Versions with guests that go on, in the order of their turns. */
  readonly #resumable = new Fifo<Line>();
  readonly #onPause: () => void;
  readonly #onIdle: () => void;
  #running = false;
  /** Whether one is about to run: it may have ended before it is known to have begun. */
  #starting = false;
  #scheduled = false;
  #endsMs = 0;
  #freshFirst = false;

  /** `onPause` is called when the event loop turns before the next one runs, `onIdle` when there is none. */
  constructor({ onPause, onIdle }: { readonly onPause: () => void; readonly onIdle: () => void }) {
    this.#onPause = onPause;
    this.#onIdle = onIdle;
  }

  /** Adds a new call; `now` has to follow. */
  begin(run: Run): void {
    this.#fresh.push(run);
  }

  /** Adds a guest that goes on when its version's turn comes, not in this turn of the event loop. */
  resume(versionId: number, run: Run): void {
    let line = this.#lines.get(versionId);
    if (line === undefined) {
      this.#forgetEmpty();
      line = new Fifo();
      this.#lines.set(versionId, line);
    }
    if (line.size === 0) this.#resumable.push(line);
    line.push(run);
    if (!this.#running) this.#schedule();
  }

  /** Begins a turn in this one of the event loop: for the handler of a message. */
  now(): void {
    if (this.#running) return;
    this.#endsMs = monotonicMs() + turnMs;
    this.#freshFirst = !this.#freshFirst;
    this.#next();
  }

  /** Who ran has ended, or has left the thread's stack. Never called by one that is on it. */
  released(): void {
    this.#running = false;
    if (!this.#starting) this.#next();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.now();
    });
  }

  #next(): void {
    while (!this.#running) {
      if (this.#fresh.size === 0 && this.#resumable.size === 0) return this.#onIdle();
      if (monotonicMs() >= this.#endsMs) {
        this.#onPause();
        return this.#schedule();
      }
      const takesFresh = this.#resumable.size === 0 || (this.#freshFirst && this.#fresh.size > 0);
      const run = (takesFresh ? this.#fresh.shift() : this.#takeResumable()) as Run;
      this.#running = true;
      this.#starting = true;
      run();
      this.#starting = false;
    }
  }

  #takeResumable(): Run | undefined {
    const line = this.#resumable.shift();
    const run = line?.shift();
    // The version goes to the end of those that wait.
    if (line !== undefined && line.size > 0) this.#resumable.push(line);
    return run;
  }

  /** Most versions come again; only when there are many are those let go of that have no guest here. */
  #forgetEmpty(): void {
    if (this.#lines.size < emptyLinesMax) return;
    for (const [versionId, line] of this.#lines) if (line.size === 0) this.#lines.delete(versionId);
  }
}

// Waits for a process's next sign of life, in the supervisor. Time in which the process could not give one is not
// held against it: on a machine that is busy with other things it waits for a processor, and on one that stood
// still nothing ran. Killing what merely has its turn later makes a busy machine busier.

import { readFileSync } from "node:fs";

/** A timer that fires this much after its time shows that this process did not run meanwhile. */
const lateMs = 100;
/** So much of its time may a process spend waiting for a processor, as a multiple of the bound. */
const excusesMax = 10;

export type SilenceParts = {
  readonly timeoutMs: number;
  /** How long the process has waited for a processor in all its life, ms. */
  readonly waitedMs: () => number;
  /** Called once, unless disposed of before. */
  readonly onSilent: () => void;
};

/** Begins to wait; a sign of life is to dispose of it. */
export class Silence implements Disposable {
  readonly #parts: SilenceParts;
  readonly #waitedAtStartMs: number;
  #timer: NodeJS.Timeout;
  #dueMs: number;
  #excusedMs = 0;
  /** Whether it has had its time once more because this process did not run itself. */
  #stoodStill = false;

  constructor(parts: SilenceParts) {
    this.#parts = parts;
    this.#waitedAtStartMs = parts.waitedMs();
    this.#dueMs = performance.now() + parts.timeoutMs;
    this.#timer = setTimeout(this.#look, parts.timeoutMs);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  readonly #look = (): void => {
    const { timeoutMs, waitedMs, onSilent } = this.#parts;
    if (!this.#stoodStill && performance.now() - this.#dueMs > lateMs) {
      this.#stoodStill = true;
      return this.#wait(timeoutMs);
    }
    const waited = Math.min(waitedMs() - this.#waitedAtStartMs, excusesMax * timeoutMs);
    const moreMs = waited - this.#excusedMs;
    if (moreMs <= lateMs) return onSilent();
    this.#excusedMs = waited;
    this.#wait(moreMs);
  };

  #wait(ms: number): void {
    this.#dueMs = performance.now() + ms;
    this.#timer = setTimeout(this.#look, ms);
  }
}

/**
 * How long the main thread of a process has been ready to run and not run, ms (Linux, scheduler statistics,
 * `/proc/PID/schedstat`, second field, ns); 0 where that is not told.
 */
export function processorWaitMs(pid: number | undefined): number {
  try {
    const [, waitedNs = "0"] = readFileSync(`/proc/${pid}/schedstat`, "latin1").split(" ");
    return Number(waitedNs) / 1e6 || 0;
  } catch {
    // Another system, or a process that has just ended.
    return 0;
  }
}

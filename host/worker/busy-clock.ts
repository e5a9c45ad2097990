// How much of the time in which guests ran was CPU time. The thread's own CPU clock moves in steps of
// up to 4 ms on some machines, a slice is half of one, and reading the clock costs more than a short call: so
// slices are timed by the wall clock, and their CPU share is that of the thread over the last stretch.

/** Busy time after which the share is taken anew, ms: many steps of a coarse clock. */
const stretchMs = 50;

export type ThreadCpuMs = () => number;

export class BusyClock {
  readonly #threadCpuMs: ThreadCpuMs;
  /** CPU time per time in which guests ran, 0 to 1: below 1 when the machine has others to run. */
  #share = 1;
  #busyMs = 0;
  #cpuAtMs: number;

  constructor(threadCpuMs: ThreadCpuMs = ownCpuMs) {
    this.#threadCpuMs = threadCpuMs;
    this.#cpuAtMs = threadCpuMs();
  }

  /** The CPU time of a part of a slice that took so long by the wall clock, ms. */
  cpuMs(wallMs: number): number {
    return wallMs * this.#share;
  }

  /** A slice has ended. */
  ran(wallMs: number): void {
    this.#busyMs += wallMs;
    if (this.#busyMs < stretchMs) return;
    const cpuMs = this.#threadCpuMs();
    // What the thread did between slices is in its CPU time too, and is little beside a busy stretch.
    this.#share = Math.min(1, (cpuMs - this.#cpuAtMs) / this.#busyMs);
    this.#busyMs = 0;
    this.#cpuAtMs = cpuMs;
  }
}

function ownCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

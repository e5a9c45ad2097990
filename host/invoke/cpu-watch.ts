// The CPU time of a guest that is not metered: it never asks, so the pool looks at its thread's clock from
// outside. The thread runs nothing else meanwhile. Less exact than metering: a guest that ends between two
// looks has its answer, whatever it used.

/** Between two looks, ms: each interrupts the thread for a moment. */
const looksApartMs = 10;

/**
 * Calls `onSpent` once the thread has used `cpuMs` from now on, unless disposed before. `readMs` is the
 * thread's CPU time so far, ms; when it rejects the thread is over, and so is the watch.
 */
export function watchCpu(cpuMs: number, readMs: () => Promise<number>, onSpent: () => void): Disposable {
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  const look = (sinceMs: number | null): void => {
    readMs().then(
      (usedMs) => {
        if (isOver) return;
        const startMs = sinceMs ?? usedMs;
        const leftMs = cpuMs - (usedMs - startMs);
        if (leftMs <= 0) return onSpent();
        // It cannot use more than passes.
        timer = setTimeout(() => look(startMs), Math.max(leftMs, looksApartMs)).unref();
      },
      () => {
        isOver = true;
      },
    );
  };
  look(null);
  return {
    [Symbol.dispose]: () => {
      isOver = true;
      clearTimeout(timer);
    },
  };
}

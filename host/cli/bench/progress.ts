// A bar of what is done of what is to do, on a terminal only (output.ts sees to that).

import type { Output } from "../output.ts";

const cells = 24;
/** Drawn no more often than that: a run of many calls is not slowed by its bar. */
const everyMs = 100;

export type Progress = {
  /** A new step with so much to do. */
  readonly step: (what: string, total: number) => void;
  /** So much of the step is done. */
  readonly done: (count: number) => void;
  readonly clear: () => void;
};

export function createProgress(output: Output, now: () => number = () => performance.now()): Progress {
  let what = "";
  let total = 1;
  let drawnAtMs = Number.NEGATIVE_INFINITY;
  const draw = (count: number): void => {
    const atMs = now();
    if (atMs - drawnAtMs < everyMs) return;
    drawnAtMs = atMs;
    output.progress(`${progressBar(count / total)} ${what} (${Math.floor(count)}/${Math.ceil(total)})`);
  };
  return {
    step(nextWhat, nextTotal) {
      what = nextWhat;
      total = Math.max(1, nextTotal);
      drawnAtMs = Number.NEGATIVE_INFINITY;
      draw(0);
    },
    done: draw,
    clear: () => output.progress(""),
  };
}

/** `[######··················]` */
export function progressBar(part: number): string {
  const full = Math.round(Math.min(1, Math.max(0, part)) * cells);
  return `[${"#".repeat(full)}${"·".repeat(cells - full)}]`;
}

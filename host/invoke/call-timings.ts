// The phases of a call as its caller is told of them: those before the guest ran, and, of a call that has
// ended, the rest. Called by the invoker.

import { monotonicMs, type Timings } from "../invocation.ts";
import type { ModuleLoad } from "./modules.ts";
import type { PoolOutcome } from "./pool.ts";

/** The phases before the guest's set-up began. */
export function timingsBefore(
  { loadMs, compileMs }: ModuleLoad,
  acceptedAtMs: number,
  begunAtMs: number,
): Timings {
  const timings: Timings = {};
  if (loadMs !== undefined) timings.load = loadMs;
  if (compileMs !== undefined) timings.compile = compileMs;
  timings.queue = Math.max(0, begunAtMs - acceptedAtMs - (loadMs ?? 0) - (compileMs ?? 0));
  return timings;
}

/** Those of a call that has ended; `acceptedAtMs` by the monotonic clock. */
export function timingsOf(outcome: PoolOutcome, load: ModuleLoad, acceptedAtMs: number): Timings {
  const isStopped = outcome.kind === "stopped";
  const hasNone = outcome.kind === "lost" || outcome.kind === "returned";
  const began = hasNone ? undefined : isStopped ? outcome.began : outcome;
  if (began !== undefined) {
    return Object.assign(timingsBefore(load, acceptedAtMs, began.begunAtMs), began.timings);
  }
  const runMs = isStopped ? outcome.runMs : null;
  const timings = timingsBefore(load, acceptedAtMs, monotonicMs() - (runMs ?? 0));
  if (runMs !== null) timings.run = runMs;
  return timings;
}

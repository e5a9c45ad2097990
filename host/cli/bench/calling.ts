// Calls one after the other that are to succeed, and the wait for an answer of the host's own making.

import { setTimeout as sleep } from "node:timers/promises";
import { assertSuccess, type Caller, type CallSample, type Request, sampleOf } from "./calls.ts";
import type { BenchRun } from "./run.ts";

/** One call; throws CommandFailure when it fails, and what the signal was aborted with. */
export async function timedCall(caller: Caller, request: Request, signal: AbortSignal): Promise<CallSample> {
  signal.throwIfAborted();
  const exchange = await caller.send(request);
  assertSuccess(request, exchange);
  return sampleOf(exchange);
}

/** So long at most, and a call: a slow function has less of its time in what warms up. */
const warmUpMsMax = 5_000;

/** So many calls that are not measured: a host that has just started is slow for reasons of its own. */
export async function warmUp(run: BenchRun, caller: Caller, request: Request, calls: number): Promise<void> {
  const endMs = performance.now() + warmUpMsMax;
  for (let call = 0; call < calls && (call === 0 || performance.now() < endMs); call += 1) {
    await timedCall(caller, request, run.signal);
  }
}

/** Waits until `holds`, for `ms` at most; whether it does. */
export async function waitFor(
  holds: () => Promise<boolean>,
  ms: number,
  signal: AbortSignal,
): Promise<boolean> {
  const endMs = performance.now() + ms;
  while (!(await holds())) {
    if (performance.now() > endMs) return false;
    await sleep(25, undefined, { signal });
  }
  return true;
}

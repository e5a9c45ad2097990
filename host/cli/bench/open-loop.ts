// Load at a fixed rate: a call is due at its moment whatever became of those before, and its time counts
// from that moment. A host that stands still is so charged with every call that was due meanwhile (no
// coordinated omission). It is how latency is measured.

import { setTimeout as sleep } from "node:timers/promises";

export type OpenLoop = {
  /** Calls a second. */
  readonly rate: number;
  readonly seconds: number;
  /** Calls under way at once at most; one that is due beyond waits, and its time runs. */
  readonly atOnceMax: number;
  /** How long calls that are under way or overdue at the end are waited for. */
  readonly drainMs: number;
  readonly signal: AbortSignal;
  /** Performs one call that was due at `dueAtMs` (`performance.now()`). A rejection ends the run. */
  readonly call: (dueAtMs: number) => Promise<void>;
};

export type OpenLoopResult = {
  readonly due: number;
  /** Those whose call had ended when the run did. */
  readonly ended: number;
  /** From the first due moment to the end of the last call. */
  readonly tookMs: number;
  /** How late calls were sent that had not to wait for others: the load generator's own doing. */
  readonly lateMs: readonly number[];
};

/** Below this the timer is too coarse: the rest is waited for by turns of the event loop. */
const timerMs = 1.5;

export async function openLoop(options: OpenLoop): Promise<OpenLoopResult> {
  const { rate, atOnceMax, signal } = options;
  const due = Math.max(1, Math.round(rate * options.seconds));
  const lateMs: number[] = [];
  const startMs = performance.now();
  const dueAt = (index: number): number => startMs + (index * 1000) / rate;
  let sent = 0;
  let ended = 0;
  let endedAtMs = startMs;
  let failure: { readonly error: unknown } | null = null;
  const send = (): void => {
    const dueAtMs = dueAt(sent);
    sent += 1;
    options
      .call(dueAtMs)
      .catch((error: unknown) => {
        failure ??= { error };
      })
      .finally(() => {
        ended += 1;
        endedAtMs = performance.now();
        sendDue(false);
      });
  };
  const sendDue = (onTime: boolean): void => {
    while (sent < due && sent - ended < atOnceMax && dueAt(sent) <= performance.now() && failure === null) {
      if (onTime) lateMs.push(performance.now() - dueAt(sent));
      send();
    }
  };
  const goesOn = (): boolean => failure === null && !signal.aborted;
  while (sent < due && goesOn()) {
    // What is overdue here waits for others to end, which send it.
    const full = sent - ended >= atOnceMax;
    if (!full) sendDue(true);
    if (sent >= due || performance.now() > dueAt(due) + options.drainMs) break;
    await pauseUntil(full ? performance.now() + timerMs + 1 : dueAt(sent));
  }
  const drainEndMs = Math.max(performance.now(), dueAt(due - 1)) + options.drainMs;
  while (ended < sent && goesOn() && performance.now() < drainEndMs) await sleep(1);
  const last: { readonly error: unknown } | null = failure;
  if (last !== null && !signal.aborted) throw (last as { readonly error: unknown }).error;
  return { due, ended, tookMs: endedAtMs - startMs, lateMs };
}

async function pauseUntil(atMs: number): Promise<void> {
  const coarseMs = atMs - performance.now() - timerMs;
  if (coarseMs >= 1) await sleep(coarseMs);
  while (performance.now() < atMs) await new Promise((resolve) => setImmediate(resolve));
}

// Holds the canaries of aliases to the bounds that were stated for them: counts their calls within a sliding
// window, in memory, and says when one is over. Calls that pin the canary do not count, and calls that
// failed by their caller or for want of room are no evidence.

import type { Alias, Guard } from "../alias.ts";
import { type CallOutcome, errorTable } from "../errors.ts";
import type { Deployment } from "../function.ts";
import type { FunctionStore } from "../store/function-store.ts";

/** What the calls of a window have come to. */
export type Evidence = { readonly calls: number; readonly errors: number; readonly slow: number };

export type Breach = {
  readonly alias: Alias;
  readonly canary: Deployment;
  readonly reason: string;
} & Evidence;

export type CanaryWatchParts = {
  readonly functions: Pick<FunctionStore, "release">;
  /** Resolves when the canary has no share any more; rejects when that could not be stored. */
  readonly takeBack: (breach: Breach) => Promise<unknown>;
  readonly onFault: (error: unknown) => void;
  /** Monotonic, ms. */
  readonly now: () => number;
};

/** A window is as many slices, of which the oldest goes at once. */
const slicesPerWindow = 12;
const windowsMax = 10_000;

type Slice = { number: number; calls: number; errors: number; slow: number };
type Window = { readonly revision: number; readonly slices: Slice[]; isOver: boolean };

export class CanaryWatch {
  readonly #parts: CanaryWatchParts;
  /** By version and alias. */
  readonly #windows = new Map<string, Window>();

  constructor(parts: CanaryWatchParts) {
    this.#parts = parts;
  }

  /** A call of a canary has ended; `status` is that of the guest's own answer, 0 where there was none. */
  ended(deployment: Deployment, outcome: CallOutcome, ms: number, status: number): void {
    const alias = this.#parts.functions.release(deployment.name, deployment.alias ?? "")?.alias;
    const guard = alias?.canary?.guard ?? null;
    if (alias === undefined || guard === null || alias.canary?.version !== deployment.version) return;
    const isError = isErrorOf(outcome, status);
    if (isError === null) return;
    const window = this.#window(deployment, alias);
    if (window.isOver) return;
    const evidence = count(window, guard, this.#parts.now(), {
      isError,
      isSlow: guard.p99MsMax !== null && ms > guard.p99MsMax,
    });
    const reason = breachOf(guard, evidence);
    if (reason === null) return;
    window.isOver = true;
    this.#parts.takeBack({ alias, canary: deployment, reason, ...evidence }).catch((error: unknown) => {
      this.#parts.onFault(error);
      // The next call of it says so again.
      window.isOver = false;
    });
  }

  #window({ id }: Deployment, { name, revision }: Alias): Window {
    const key = `${id} ${name}`;
    let window = this.#windows.get(key);
    if (window?.revision !== revision) {
      if (this.#windows.size >= windowsMax) this.#windows.clear();
      window = { revision, slices: [], isOver: false };
      this.#windows.set(key, window);
    }
    return window;
  }
}

/** Whether a call speaks against its version; null when it says nothing of it. */
function isErrorOf(outcome: CallOutcome, status: number): boolean | null {
  if (outcome === "ok") return status >= 500;
  if (outcome === "client_gone") return null;
  if (outcome === "worker_lost") return true;
  return errorTable[outcome].fault === "guest" ? true : null;
}

function count(
  { slices }: Window,
  { windowMs }: Guard,
  nowMs: number,
  { isError, isSlow }: { readonly isError: boolean; readonly isSlow: boolean },
): Evidence {
  const number = Math.floor((nowMs / windowMs) * slicesPerWindow);
  let last = slices.at(-1);
  if (last?.number !== number) {
    last = { number, calls: 0, errors: 0, slow: 0 };
    slices.push(last);
    while ((slices[0]?.number ?? number) <= number - slicesPerWindow) slices.shift();
  }
  last.calls += 1;
  if (isError) last.errors += 1;
  if (isSlow) last.slow += 1;
  const sum = { calls: 0, errors: 0, slow: 0 };
  for (const slice of slices) {
    sum.calls += slice.calls;
    sum.errors += slice.errors;
    sum.slow += slice.slow;
  }
  return sum;
}

/** Why a canary is to be taken back, or null: its p99 is over a bound when more than 1 of 100 calls are. */
export function breachOf(guard: Guard, { calls, errors, slow }: Evidence): string | null {
  const { errorPercentMax, p99MsMax, callsMin, windowMs } = guard;
  if (calls < callsMin) return null;
  const within = `of ${calls} calls within ${windowMs} ms`;
  if (errorPercentMax !== null && errors * 100 > errorPercentMax * calls) {
    return `${errors} ${within} failed, limit is ${errorPercentMax} %`;
  }
  if (p99MsMax !== null && slow * 100 > calls) {
    return `${slow} ${within} took longer than ${p99MsMax} ms, limit is 1 of 100`;
  }
  return null;
}

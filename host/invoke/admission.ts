// Who may run now: a bound on calls per function (the rest wait in its queue, then 429) and on calls
// of the host (503). The decision is a pure function of numbers; a permit is disposable.

import { HostError } from "../errors.ts";
import type { Deployment } from "../function.ts";
import { limits } from "../limits.ts";

export type AdmissionCounts = {
  readonly running: number;
  readonly waiting: number;
  readonly hostLive: number;
  readonly draining: boolean;
};

export type AdmissionBounds = {
  readonly concurrency: number;
  readonly queue: number;
  readonly hostLiveMax: number;
};

export type AdmissionDecision = "run" | "wait" | "concurrency_limited" | "overloaded";

/** What becomes of one more call. */
export function decideAdmission(counts: AdmissionCounts, bounds: AdmissionBounds): AdmissionDecision {
  if (counts.draining || counts.hostLive >= bounds.hostLiveMax) return "overloaded";
  if (counts.running < bounds.concurrency && counts.waiting === 0) return "run";
  return counts.waiting < bounds.queue ? "wait" : "concurrency_limited";
}

/** Held while a call runs; disposing it lets the next one in. */
export type Permit = Disposable;

type FunctionCalls = { running: number; readonly waiting: Set<() => void>; concurrency: number };

export class Admission {
  readonly #functions = new Map<string, FunctionCalls>();
  readonly #hostLiveMax: number;
  #hostLive = 0;
  #draining = false;
  #onIdle: (() => void) | null = null;

  constructor(hostLiveMax: number = limits.liveCallsMax) {
    this.#hostLiveMax = hostLiveMax;
  }

  /** Calls admitted and not ended, waiting ones included. */
  get live(): number {
    return this.#hostLive;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** Whether a call would be admitted at once: one that ends before anything else happens needs no permit. */
  mayRunNow({ name, config }: Deployment): boolean {
    const calls = this.#functions.get(name);
    const counts = {
      running: calls?.running ?? 0,
      waiting: calls?.waiting.size ?? 0,
      hostLive: this.#hostLive,
      draining: this.#draining,
    };
    const { concurrency, queue } = config;
    return decideAdmission(counts, { concurrency, queue, hostLiveMax: this.#hostLiveMax }) === "run";
  }

  /**
   * Admits a call at once or after a wait in its function's queue. `onWait` receives the way to give
   * up: it leaves the queue, and the returned promise then rejects with what it was given. A call that
   * stems from one of the same function, as its `callers` tell, does not wait: those it would wait for
   * wait for it.
   */
  admit(
    deployment: Deployment,
    onWait: (leave: (error: Error) => void) => void,
    callers: readonly string[] = [],
  ): Permit | Promise<Permit> {
    const { name, config } = deployment;
    const queue = callers.includes(name) ? 0 : config.queue;
    const calls = this.#callsOf(name);
    calls.concurrency = config.concurrency;
    const decision = decideAdmission(
      {
        running: calls.running,
        waiting: calls.waiting.size,
        hostLive: this.#hostLive,
        draining: this.#draining,
      },
      { concurrency: config.concurrency, queue, hostLiveMax: this.#hostLiveMax },
    );
    if (decision === "overloaded") {
      const why = this.#draining ? "it is shutting down" : `${this.#hostLive} calls are live`;
      throw new HostError("overloaded", `Cannot take the call: ${why}`, { retryAfterS: 1 });
    }
    if (decision === "concurrency_limited") {
      throw new HostError(
        "concurrency_limited",
        `Cannot take the call: "${name}" has ${calls.running} calls running and ${calls.waiting.size} waiting, ` +
          `limits are ${config.concurrency} and ${queue}${queue < config.queue ? " for calls that it led to itself" : ""}`,
        { retryAfterS: 1 },
      );
    }
    this.#hostLive += 1;
    if (decision === "run") {
      calls.running += 1;
      return this.#permit(name, calls);
    }
    return new Promise<Permit>((resolve, reject) => {
      const enter = (): void => {
        calls.waiting.delete(enter);
        calls.running += 1;
        resolve(this.#permit(name, calls));
      };
      calls.waiting.add(enter);
      onWait((error) => {
        if (!calls.waiting.delete(enter)) return;
        this.#left(name, calls);
        reject(error);
      });
    });
  }

  /** Refuses new calls from now on; resolves when the last admitted one has ended. */
  drain(): Promise<void> {
    this.#draining = true;
    if (this.#hostLive === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onIdle = resolve;
    });
  }

  #callsOf(name: string): FunctionCalls {
    let calls = this.#functions.get(name);
    if (calls === undefined) {
      calls = { running: 0, waiting: new Set(), concurrency: 0 };
      this.#functions.set(name, calls);
    }
    return calls;
  }

  #permit(name: string, calls: FunctionCalls): Permit {
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (!held) return;
        held = false;
        calls.running -= 1;
        while (calls.running < calls.concurrency && calls.waiting.size > 0) {
          const [next] = calls.waiting;
          next?.();
        }
        this.#left(name, calls);
      },
    };
  }

  #left(name: string, calls: FunctionCalls): void {
    this.#hostLive -= 1;
    if (calls.running === 0 && calls.waiting.size === 0) this.#functions.delete(name);
    if (this.#hostLive === 0) this.#onIdle?.();
  }
}

// Delivers what waits: takes due deliveries of a trigger as far as its concurrency allows, leases them, has
// its function called, and records how that ended: done, again after a back-off, or given up.
//
// It asks the store when something was published, when an attempt has ended and when the next delivery is
// due, and does nothing in between.

import { setTimeout as pause } from "node:timers/promises";
import type { DeliveryFault, TriggerKey } from "../event.ts";
import type {
  AttemptEnd,
  AttemptOutcome,
  DueDelivery,
  EventStore,
  Publication,
} from "../store/event-store.ts";
import type { DeliverySettings } from "../trigger.ts";
import type { EventQueue } from "./queue.ts";

type FailureOptions = {
  /** False when the host had no room for the attempt; true unless given. */
  readonly counts?: boolean;
  /** The next attempt comes no sooner than after so many ms. */
  readonly restMs?: number;
  /** What is published when it was the last attempt. */
  readonly callback?: Publication | null;
};

/** Why an attempt did not succeed. */
export class AttemptFailure extends Error {
  readonly fault: DeliveryFault;
  readonly counts: boolean;
  readonly restMs: number;
  readonly callback: Publication | null;

  constructor(fault: DeliveryFault, { counts = true, restMs = 0, callback = null }: FailureOptions = {}) {
    super(fault.message);
    this.fault = fault;
    this.counts = counts;
    this.restMs = restMs;
    this.callback = callback;
  }
}

type Done = Extract<AttemptOutcome, { readonly kind: "done" }>;

export type DispatcherParts = {
  readonly store: Pick<EventStore, "waiting" | "due" | "nextDueMs" | "lease" | "clockSetBack">;
  /** How a trigger's events are delivered; null when it is gone. */
  readonly settingsOf: (key: TriggerKey) => DeliverySettings | null;
  readonly queue: Pick<EventQueue, "end">;
  /** One attempt, the `attempt`th; rejects with AttemptFailure. */
  readonly attempt: (
    delivery: DueDelivery,
    settings: DeliverySettings,
    attempt: number,
  ) => Promise<Omit<Done, "kind">>;
  /** What is published when a delivery is given up without an attempt. */
  readonly callbackOf?: (delivery: DueDelivery, fault: DeliveryFault) => Publication | null;
  /** Whether there is a function of that name. */
  readonly exists: (functionName: string) => boolean;
  readonly onFault: (error: unknown) => void;
  readonly now?: () => number;
  /** In [0, 1). */
  readonly random?: () => number;
  /** After a fault of ours, such as a full disk, ms. */
  readonly faultRestMs?: number;
  /** A host that had no room is not asked again before, ms. */
  readonly noRoomMs?: number;
};

/** What is known of a trigger with something to deliver. */
type Line = {
  readonly key: TriggerKey;
  running: number;
  /** A lease is being written; it is looked at once more after that. */
  leasing: boolean;
  /** The host had no room for its function: until that can have changed none of them is tried. */
  held: NodeJS.Timeout | null;
  timer: NodeJS.Timeout | null;
};

/** A wall clock may be set: whoever waits looks again after so long, ms. */
const restMsMax = 60_000;
/** A host that had no room is not asked again before, ms. */
const noRoomMs = 1_000;
/** Deliveries that are read and leased together: an asynchronous call may have 6 MiB. */
const leasedTogetherMax = 32;
/** Clocks are kept right by small steps; a larger one back is noticed, ms. */
const clockStepMsMax = 1_000;
/** What a function may ask for by Retry-After, ms. */
const askedRestMsMax = 86_400_000;
/** After a fault of ours, such as a full disk, ms. */
const faultRestMs = 5_000;

export class Dispatcher {
  readonly #parts: DispatcherParts;
  readonly #now: () => number;
  readonly #random: () => number;
  readonly #lines = new Map<string, Line>();
  readonly #running = new Set<Promise<void>>();
  readonly #closing = new AbortController();
  /** The wall clock when it was last looked at. */
  #clockMs = 0;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
    this.#now = parts.now ?? Date.now;
    this.#random = parts.random ?? Math.random;
  }

  /** Begins with what an earlier process has left. */
  start(): void {
    this.wake(this.#parts.store.waiting());
  }

  /** These triggers may have something to deliver. */
  wake(keys: readonly TriggerKey[]): void {
    for (const key of keys) this.#look(this.#lineOf(key));
  }

  /** Begins no attempt any more; resolves when those that run have ended and are recorded. */
  async close(): Promise<void> {
    this.#closing.abort();
    for (const { timer, held } of this.#lines.values()) {
      if (timer !== null) clearTimeout(timer);
      if (held !== null) clearTimeout(held);
    }
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
  }

  #lineOf(key: TriggerKey): Line {
    const name = `${key.function}/${key.trigger}`;
    let line = this.#lines.get(name);
    if (line === undefined) {
      line = { key, running: 0, leasing: false, held: null, timer: null };
      this.#lines.set(name, line);
    }
    return line;
  }

  #look(line: Line): void {
    if (this.#closing.signal.aborted || line.leasing || line.held !== null) return;
    const looking = this.#deliver(line).catch((error: unknown) => {
      this.#parts.onFault(error);
      this.#rest(line, this.#now() + faultRestMs);
    });
    this.#track(looking);
  }

  /** Begins what may begin. */
  async #deliver(line: Line): Promise<void> {
    const { store } = this.#parts;
    const { key } = line;
    const backMs = this.#clockStepBack();
    if (backMs > 0) {
      await store.clockSetBack(backMs);
      // Somebody else was faster, and looks once more.
      if (line.leasing) return;
    }
    const settings = this.#parts.settingsOf(key);
    if (settings?.paused === true) return;
    const room = Math.min(leasedTogetherMax, (settings?.concurrency ?? leasedTogetherMax) - line.running);
    if (room <= 0) return;
    const due = store.due(key, this.#now(), room);
    if (due.length === 0) {
      const nextMs = store.nextDueMs(key);
      if (nextMs !== null) this.#rest(line, nextMs);
      else if (line.running === 0) this.#lines.delete(`${key.function}/${key.trigger}`);
      return;
    }
    line.leasing = true;
    try {
      const fit: DueDelivery[] = [];
      const givenUp: Promise<void>[] = [];
      for (const delivery of due) {
        const fault = this.#hopeless(delivery, settings);
        if (fault === null) fit.push(delivery);
        else givenUp.push(this.#giveUp(delivery, fault));
      }
      await Promise.all(givenUp);
      await store.lease(fit.map(({ id }) => id));
      for (const delivery of fit) {
        line.running += 1;
        this.#track(this.#attempt(line, delivery, settings as DeliverySettings));
      }
    } finally {
      line.leasing = false;
    }
    // What was published meanwhile, and what more there was than was asked for.
    this.#look(line);
  }

  async #giveUp(delivery: DueDelivery, fault: DeliveryFault): Promise<void> {
    const callback = this.#parts.callbackOf?.(delivery, fault) ?? null;
    await this.#parts.queue.end({ id: delivery.id, outcome: { kind: "dead", fault, callback } });
  }

  /** By how much the clock was set back since the last look, ms: what is due at a time would be late by that. */
  #clockStepBack(): number {
    const now = this.#now();
    const backMs = this.#clockMs - now;
    this.#clockMs = now;
    return backMs > clockStepMsMax ? backMs : 0;
  }

  /** Why no attempt is to be made, or null. */
  #hopeless(delivery: DueDelivery, settings: DeliverySettings | null): DeliveryFault | null {
    const { fault: last } = delivery;
    const lines = last?.lines ?? [];
    if (!this.#parts.exists(delivery.function)) {
      const message = `The function "${delivery.function}" was removed`;
      return { code: "function_not_found", message, lines };
    }
    if (settings === null) {
      const message = `The trigger "${delivery.trigger}" was removed`;
      return { code: "trigger_not_found", message, lines };
    }
    if (!delivery.intact) {
      return { code: "internal", message: "The event has changed on the disk since it was stored", lines };
    }
    if (delivery.expiresAtMs > this.#now()) return null;
    const before = last === null ? "" : `; the last attempt: ${last.message}`;
    const message = `It was not delivered within its ${settings.maxAgeMs} ms${before}`;
    return { code: last?.code ?? "deadline_exceeded", message, lines };
  }

  async #attempt(line: Line, delivery: DueDelivery, settings: DeliverySettings): Promise<void> {
    const attempt = delivery.attempts + 1;
    let outcome: AttemptOutcome;
    try {
      outcome = { kind: "done", ...(await this.#parts.attempt(delivery, settings, attempt)) };
    } catch (error) {
      outcome = this.#failed(error, settings, attempt);
    }
    await this.#record({ id: delivery.id, outcome });
    line.running -= 1;
    if (outcome.kind === "retry" && !outcome.counts) this.#hold(line);
    else this.#release(line);
    this.#look(line);
  }

  /** Else each that waits would be leased and put back in turn, as fast as the disk is. */
  #hold(line: Line): void {
    if (line.held !== null || this.#closing.signal.aborted) return;
    line.held = setTimeout(() => {
      line.held = null;
      this.#look(line);
    }, this.#parts.noRoomMs ?? noRoomMs);
    line.held.unref();
  }

  /** An attempt has had room, and has left it. */
  #release(line: Line): void {
    if (line.held === null) return;
    clearTimeout(line.held);
    line.held = null;
  }

  /** Tries until it is stored: an end that is lost, as on a full disk, would leave the delivery leased. */
  async #record(end: AttemptEnd): Promise<void> {
    for (;;) {
      try {
        return await this.#parts.queue.end(end);
      } catch (error) {
        this.#parts.onFault(error);
        // The next process takes the lease back.
        if (this.#closing.signal.aborted) return;
        const { faultRestMs: ms = faultRestMs } = this.#parts;
        await pause(ms, undefined, { signal: this.#closing.signal }).catch(() => {});
      }
    }
  }

  #failed(error: unknown, settings: DeliverySettings, attempt: number): AttemptOutcome {
    const now = this.#now();
    if (!(error instanceof AttemptFailure)) {
      this.#parts.onFault(error);
      return { kind: "retry", dueAtMs: now + faultRestMs, counts: false, fault: null };
    }
    const { fault, counts, callback } = error;
    if (!counts) return { kind: "retry", dueAtMs: now + (this.#parts.noRoomMs ?? noRoomMs), counts, fault };
    if (attempt >= settings.attemptsMax) return { kind: "dead", fault, callback };
    // Full jitter: what failed together does not come back together.
    const backoffMs = Math.min(settings.backoffMaxMs, settings.backoffMs * 2 ** (attempt - 1));
    const restMs = Math.max(this.#random() * backoffMs, Math.min(error.restMs, askedRestMsMax));
    return { kind: "retry", dueAtMs: Math.ceil(now + restMs), counts, fault };
  }

  #rest(line: Line, untilMs: number): void {
    if (line.timer !== null) clearTimeout(line.timer);
    if (this.#closing.signal.aborted) return;
    const restMs = Math.min(restMsMax, Math.max(1, untilMs - this.#now()));
    line.timer = setTimeout(() => {
      line.timer = null;
      this.#look(line);
    }, restMs);
    line.timer.unref();
  }

  #track(work: Promise<void>): void {
    this.#running.add(work);
    void work.finally(() => this.#running.delete(work));
  }
}

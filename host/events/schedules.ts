// Fires schedules: one timer for the next instant of all of them.

import { limits } from "../limits.ts";
import { plainName } from "../namespace.ts";
import type { EventStore } from "../store/event-store.ts";
import { isFarAhead, type Trigger } from "../trigger.ts";
import { madeEvent } from "./cloud-events.ts";
import { dueInstants, nextInstant, type Schedule } from "./cron.ts";
import type { EventQueue } from "./queue.ts";

export type SchedulesParts = {
  readonly store: Pick<EventStore, "schedules">;
  readonly queue: Pick<EventQueue, "fire">;
  readonly onFault: (error: unknown) => void;
  readonly now?: () => number;
};

type Planned = { readonly trigger: Trigger; readonly schedule: Schedule; readonly nextMs: number };

type Next = {
  /** What it follows from, as it is stored. */
  readonly of: string;
  readonly seenMs: number;
  readonly ms: number | null;
};

/** A wall clock may be set: the next instant is looked for again after so long, ms. */
const restMsMax = 60_000;
/** After a fault of ours, such as a full disk, ms. */
const faultRestMs = 5_000;

export class Schedules {
  readonly #parts: SchedulesParts;
  readonly #now: () => number;
  #planned: Planned[] = [];
  /** By trigger: few change while others fire. */
  #next = new Map<number, Next>();
  /** The wall clock when it was last looked at. */
  #clockMs = 0;
  #timer: NodeJS.Timeout | null = null;
  #firing: Promise<void> | null = null;
  #closed = false;

  constructor(parts: SchedulesParts) {
    this.#parts = parts;
    this.#now = parts.now ?? Date.now;
  }

  /** Reads the schedules, at the start and when triggers have changed. */
  refresh(): void {
    // What fires reads them anew at its end.
    if (this.#firing !== null) return;
    this.#clockMs = this.#now();
    const known = this.#next;
    this.#next = new Map();
    this.#planned = this.#parts.store.schedules().flatMap((trigger) => {
      const { id, settings } = trigger;
      if (settings.kind !== "schedule" || settings.paused) return [];
      const of = `${trigger.seenMs} ${settings.timeZone} ${settings.cron}`;
      const found = known.get(id);
      const before = found?.of === of ? found : null;
      const lastMs = before?.seenMs ?? trigger.seenMs;
      const seenMs = isFarAhead(lastMs, this.#clockMs) ? this.#clockMs : lastMs;
      const next = before?.seenMs === seenMs ? before : { of, seenMs, ms: nextInstant(settings, seenMs) };
      this.#next.set(id, next);
      if (next.ms === null) return [];
      return [{ trigger: { ...trigger, seenMs }, schedule: settings, nextMs: next.ms }];
    });
    this.#rest();
  }

  /** Fires nothing any more; resolves when what was being stored is. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#firing;
  }

  #rest(leastMs = 1): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#closed || this.#planned.length === 0) return;
    const nextMs = this.#planned.reduce(
      (least, { nextMs: ms }) => Math.min(least, ms),
      Number.POSITIVE_INFINITY,
    );
    const restMs = Math.min(restMsMax, Math.max(leastMs, nextMs - this.#now()));
    this.#timer = setTimeout(() => this.#look(), restMs);
    this.#timer.unref();
  }

  #look(): void {
    const now = this.#now();
    // Set back: what had been seen of a clock that was wrong is seen anew.
    if (now < this.#clockMs) return this.refresh();
    this.#clockMs = now;
    const due = this.#planned.filter(({ nextMs }) => nextMs <= now);
    if (due.length === 0) return this.#rest();
    this.#firing = Promise.all(due.map((planned) => this.#fire(planned, now)))
      .then(
        () => 1,
        (error: unknown) => {
          this.#parts.onFault(error);
          return faultRestMs;
        },
      )
      .then((leastMs) => {
        this.#firing = null;
        if (this.#closed) return;
        this.refresh();
        this.#rest(leastMs);
      });
  }

  async #fire({ trigger, schedule }: Planned, now: number): Promise<void> {
    const instants = dueInstants(schedule, trigger.seenMs, now, limits.missedInstantsMax);
    const name = plainName(trigger.function);
    const source = `/functions/${name}/triggers/${trigger.name}`;
    const events = instants.map((atMs) => {
      const time = new Date(atMs).toISOString();
      const attributes = {
        id: `${name}/${trigger.name}/${time}`,
        type: "mayfly.schedule.due",
        time,
      };
      return { atMs, event: madeEvent(attributes, new Uint8Array(0), { source, depth: 1 }) };
    });
    await this.#parts.queue.fire(trigger.id, events, now);
  }
}

// Tells the triggers that listen of one change: their events are stored in the change's own transaction.

import { randomUUID } from "node:crypto";
import { HostError } from "../../errors.ts";
import type { HostEvent, TriggerKey } from "../../event.ts";
import { limits } from "../../limits.ts";
import type { TriggerSettings } from "../../trigger.ts";
import type { Cause } from "../cause.ts";
import type { Published } from "../event-store.ts";
import type { EventWrites, Listener } from "./event-writes.ts";

type Change = {
  /** `mayfly.kv.set` */
  readonly type: string;
  /** `/kv/links` */
  readonly source: string;
  readonly key: string;
  readonly data: Readonly<Record<string, unknown>>;
};

type SettingsOf<kind> = Extract<TriggerSettings, { readonly kind: kind }>;

export class Telling {
  readonly #events: EventWrites;
  readonly #cause: Cause;
  readonly #keys = new Map<string, TriggerKey>();
  #deliveries = 0;

  constructor(events: EventWrites, cause: Cause) {
    this.#events = events;
    this.#cause = cause;
  }

  get published(): Published {
    return { listeners: [...this.#keys.values()], deliveries: this.#deliveries };
  }

  /**
   * `changeFor` gives what a listener is to be told, or null; those that get the same object share an
   * event. Throws `queue_full` or `too_deep`, so that the change does not take place either.
   */
  tell<kind extends TriggerSettings["kind"]>(
    kind: kind,
    source: string,
    changeFor: (settings: SettingsOf<kind>) => Change | null,
  ): void {
    const told = new Map<Change, Listener[]>();
    for (const listener of this.#events.listeners(kind, source)) {
      const change = changeFor(listener.settings as SettingsOf<kind>);
      if (change !== null) told.set(change, [...(told.get(change) ?? []), listener]);
    }
    const deliveries = [...told.values()].reduce((sum, listeners) => sum + listeners.length, 0);
    if (deliveries === 0) return;
    // Before anything of it is stored.
    this.#assertMayTell(deliveries);
    // One change is one event, in whatever detail it is told.
    const id = randomUUID();
    for (const [change, listeners] of told) {
      this.#events.deliver(listeners, [eventOf(id, change, this.#cause.depth + 1)]);
      this.#deliveries += listeners.length;
      for (const { function: name, trigger } of listeners) {
        this.#keys.set(`${name}/${trigger}`, { function: name, trigger });
      }
    }
  }

  #assertMayTell(deliveries: number): void {
    const { depth, room } = this.#cause;
    if (depth + 1 > limits.callDepthMax) {
      throw new HostError(
        "too_deep",
        `The change stems from ${depth} calls, limit is ${limits.callDepthMax - 1} where it is listened to`,
      );
    }
    if (this.#deliveries + deliveries <= room) return;
    throw new HostError(
      "queue_full",
      "The change is listened to, and the queue has no room for the event that tells of it",
      { retryAfterS: 5 },
    );
  }
}

function eventOf(id: string, { type, source, key, data }: Change, depth: number): HostEvent {
  const attributes = {
    id,
    source,
    type,
    time: new Date().toISOString(),
    subject: printable(key),
    datacontenttype: "application/json",
  };
  return { attributes, data: Buffer.from(JSON.stringify(data)), depth };
}

/** CloudEvents 1.0.2, section 3.1, has no control characters; the data tells the key as it is. */
function printable(key: string): string {
  return key.replace(/\p{Cc}/gu, (character) => encodeURIComponent(character));
}

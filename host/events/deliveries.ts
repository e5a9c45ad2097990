// Events on their way to functions: the dispatcher and the schedules, started, told of changes and ended
// together.

import type { TriggerKey } from "../event.ts";
import type { EventStore } from "../store/event-store.ts";
import type { FunctionStore } from "../store/function-store.ts";
import { type DeliveryParts, deliveryAttempt } from "./delivery.ts";
import { Dispatcher } from "./dispatcher.ts";
import type { EventQueue } from "./queue.ts";
import { Schedules } from "./schedules.ts";

export type DeliveriesParts = DeliveryParts & {
  readonly events: EventStore;
  readonly functions: Pick<FunctionStore, "live">;
  readonly queue: EventQueue;
  readonly onFault: (error: unknown) => void;
};

export class Deliveries {
  readonly #events: EventStore;
  readonly #dispatcher: Dispatcher;
  readonly #schedules: Schedules;

  constructor(parts: DeliveriesParts) {
    const { events, functions, queue, onFault } = parts;
    this.#events = events;
    this.#dispatcher = new Dispatcher({
      store: events,
      queue,
      attempt: deliveryAttempt(parts),
      exists: (name) => functions.live(name) !== null,
      onFault,
    });
    this.#schedules = new Schedules({ store: events, queue, onFault });
    queue.onReady = (keys) => this.#dispatcher.wake(keys);
  }

  start(): void {
    this.#dispatcher.start();
    this.#schedules.refresh();
  }

  /** A trigger was added, changed or removed. */
  triggerChanged(key: TriggerKey): void {
    this.#schedules.refresh();
    this.#dispatcher.wake([key]);
  }

  /** A function was removed, and its triggers with it. */
  functionRemoved(name: string): void {
    this.#schedules.refresh();
    this.#dispatcher.wake(this.#events.waiting().filter((key) => key.function === name));
  }

  /** Begins nothing any more; resolves when what runs has ended and is recorded. */
  async close(): Promise<void> {
    await Promise.all([this.#schedules.close(), this.#dispatcher.close()]);
  }
}

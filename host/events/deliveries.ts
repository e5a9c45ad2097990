// Events on their way to functions: the dispatcher and the schedules, started, told of changes and ended
// together.

import type { TriggerKey } from "../event.ts";
import type { EventStore } from "../store/event-store.ts";
import type { FunctionStore } from "../store/function-store.ts";
import { asyncAttempt, asyncGivenUp, asyncSettings, isAsync } from "./async-calls.ts";
import type { AttemptParts } from "./attempts.ts";
import { deliveryAttempt } from "./delivery.ts";
import { Dispatcher } from "./dispatcher.ts";
import type { EventQueue } from "./queue.ts";
import { Schedules } from "./schedules.ts";

export type DeliveriesParts = AttemptParts & {
  readonly events: EventStore;
  readonly functions: Pick<FunctionStore, "live">;
  readonly queue: EventQueue;
  /** What came of an asynchronous call is kept from now on for its time. */
  readonly onAsyncEnd: () => void;
  readonly onFault: (error: unknown) => void;
};

export class Deliveries {
  readonly #events: EventStore;
  readonly #dispatcher: Dispatcher;
  readonly #schedules: Schedules;

  constructor(parts: DeliveriesParts) {
    const { events, functions, queue, onFault } = parts;
    this.#events = events;
    const deliver = deliveryAttempt(parts);
    const call = asyncAttempt(parts);
    const callGivenUp = asyncGivenUp(functions);
    this.#dispatcher = new Dispatcher({
      store: events,
      queue: {
        end: async (end) => {
          await queue.end(end);
          if (end.outcome.kind !== "retry") parts.onAsyncEnd();
        },
      },
      settingsOf: (key) =>
        isAsync(key) ? asyncSettings(functions, key.function) : (events.trigger(key)?.settings ?? null),
      attempt: (delivery, ...rest) => (isAsync(delivery) ? call : deliver)(delivery, ...rest),
      callbackOf: (delivery, fault) => (isAsync(delivery) ? callGivenUp(delivery, fault) : null),
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

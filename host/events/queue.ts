// The event queue as the rest of the host sees it: counts what it holds against its bound, and tells the
// dispatcher which triggers have something to do.

import { HostError } from "../errors.ts";
import type { HostEvent, TriggerKey } from "../event.ts";
import { limits } from "../limits.ts";
import type { Told } from "../store/cause.ts";
import type { AttemptEnd, DeliveryFilter, EventStore, Published } from "../store/event-store.ts";

export class EventQueue {
  readonly #store: EventStore;
  readonly #deliveriesMax: number;
  #count: number;
  /** Deliveries stored so far, and attempts at them by how they ended. */
  published = 0;
  readonly ended = { done: 0, retry: 0, dead: 0 };
  /** Told whenever there is more room than before. */
  readonly #roomWaiters = new Set<() => void>();
  /** Told of triggers that have deliveries to make; set by the dispatcher. */
  onReady: (keys: readonly TriggerKey[]) => void = () => {};

  constructor(store: EventStore, deliveriesMax: number = limits.queueEventsMax) {
    this.#store = store;
    this.#deliveriesMax = deliveriesMax;
    this.#count = store.count();
  }

  /** Deliveries that wait, run or are dead letters. */
  get count(): number {
    return this.#count;
  }

  /** Resolves once the events are durable; rejects with `queue_full` or `too_deep`. */
  async publish(topic: string, events: readonly HostEvent[]): Promise<Published> {
    this.#assertRoom();
    const deepest = events.find(({ depth }) => depth > limits.callDepthMax);
    if (deepest !== undefined) {
      throw new HostError(
        "too_deep",
        `The event stems from ${deepest.depth} calls, limit is ${limits.callDepthMax}`,
      );
    }
    return this.#published(await this.#store.publish(topic, events, this.#deliveriesMax - this.#count));
  }

  /** Makes a change of a store that triggers may listen to, with the room that there is for telling them. */
  async telling<change extends Told>(make: (room: number) => Promise<change>): Promise<change> {
    const change = await make(Math.max(0, this.#deliveriesMax - this.#count));
    this.#published(change.published);
    return change;
  }

  /** As `EventStore.fire`; nothing is stored while the queue is full. */
  async fire(
    triggerId: number,
    events: readonly { readonly atMs: number; readonly event: HostEvent }[],
    seenMs: number,
  ): Promise<void> {
    const isFull = this.#count >= this.#deliveriesMax;
    this.#published(await this.#store.fire(triggerId, isFull ? [] : events, seenMs));
  }

  hasRoomFor(deliveries: number): boolean {
    return this.#count + deliveries <= this.#deliveriesMax;
  }

  /** Resolves when there is room for so many, and rejects when `signal` aborts before. */
  async roomFor(deliveries: number, signal: AbortSignal): Promise<void> {
    while (!this.hasRoomFor(deliveries)) {
      signal.throwIfAborted();
      const waiting = Promise.withResolvers<void>();
      const told = (): void => waiting.resolve();
      signal.addEventListener("abort", told);
      this.#roomWaiters.add(told);
      await waiting.promise;
      this.#roomWaiters.delete(told);
      signal.removeEventListener("abort", told);
    }
  }

  /** Stores deliveries that there is room for. */
  async storing(store: () => Promise<Published>): Promise<void> {
    this.#published(await store());
  }

  async end(end: AttemptEnd): Promise<void> {
    const { published } = await this.#store.end([end]);
    this.ended[end.outcome.kind] += 1;
    if (end.outcome.kind === "done") this.dropped(1);
    this.#published(published);
  }

  /** How many dead letters are ready again. */
  async redrive(filter: Omit<DeliveryFilter, "state"> & { readonly id: number | null }): Promise<number> {
    const { listeners, deliveries } = await this.#store.redrive(filter);
    this.onReady(listeners);
    return deliveries;
  }

  /** So many deliveries are no longer there. */
  dropped(deliveries: number): void {
    this.#count -= deliveries;
    for (const told of this.#roomWaiters) told();
  }

  /** Whether there was such a delivery. */
  async drop(id: number): Promise<boolean> {
    const delivery = this.#store.get(id);
    const found = await this.#store.drop(id);
    if (!found) return false;
    this.dropped(1);
    // Others of its order key may have waited for it.
    if (delivery !== null) this.onReady([{ function: delivery.function, trigger: delivery.trigger }]);
    return true;
  }

  #published(published: Published): Published {
    this.#count += published.deliveries;
    this.published += published.deliveries;
    if (published.deliveries > 0) this.onReady(published.listeners);
    return published;
  }

  #assertRoom(): void {
    if (this.#count < this.#deliveriesMax) return;
    throw new HostError(
      "queue_full",
      `The host holds ${this.#count} events that wait or are dead letters, limit is ${this.#deliveriesMax}`,
      { retryAfterS: 5 },
    );
  }
}

// The contract of the event queue and of triggers. Reads are synchronous and answer from committed state;
// changes resolve once they are durable. A delivery is leased by the process that has the data folder: a
// lease of an earlier process ends when the next one opens the store.

import type { AsyncAnswer } from "../async-call.ts";
import type {
  Delivery,
  DeliveryFault,
  DeliveryState,
  HostEvent,
  ListedDelivery,
  TriggerKey,
} from "../event.ts";
import type { Trigger, TriggerSettings } from "../trigger.ts";
import type { Told } from "./cause.ts";

export type Published = {
  /** Whose deliveries are new. */
  readonly listeners: readonly TriggerKey[];
  readonly deliveries: number;
};

/** What is published together with an end, in its transaction. */
export type Publication = { readonly topic: string; readonly event: HostEvent };

export type AttemptOutcome =
  | {
      readonly kind: "done";
      /** Of an asynchronous call: what its sender may ask for. */
      readonly answer?: AsyncAnswer;
      readonly callback?: Publication | null;
    }
  /** It waits until then; `counts` is false when the attempt is not held against it. */
  | {
      readonly kind: "retry";
      readonly dueAtMs: number;
      readonly counts: boolean;
      readonly fault: DeliveryFault | null;
    }
  | { readonly kind: "dead"; readonly fault: DeliveryFault; readonly callback?: Publication | null };

/** How an attempt ended. */
export type AttemptEnd = { readonly id: number; readonly outcome: AttemptOutcome };

export type DeliveryFilter = {
  readonly namespace: string;
  readonly state: DeliveryState | null;
  readonly function: string | null;
  readonly trigger: string | null;
};

/** A delivery that may be leased. */
export type DueDelivery = Delivery & { readonly expiresAtMs: number; readonly intact: boolean };

export interface EventStore {
  triggers(functionName: string): Trigger[];
  trigger(key: TriggerKey): Trigger | null;
  schedules(): Trigger[];
  /** Deliveries of any state. */
  count(): number;
  get(id: number): Delivery | null;
  /** Those behind `after`, in the order in which they were published. */
  list(filter: DeliveryFilter, after: number, limit: number): ListedDelivery[];
  /** Triggers with deliveries that wait. */
  waiting(): TriggerKey[];
  /** Deliveries of a trigger that are due, at most `limit`; of ordered ones the first of each key alone. */
  due(key: TriggerKey, nowMs: number, limit: number): DueDelivery[];
  /** Unix milliseconds at which a trigger's next delivery is due, or null. */
  nextDueMs(key: TriggerKey): number | null;

  /** Rejects with `function_not_found`. Whether it is a new one. */
  putTrigger(key: TriggerKey, settings: TriggerSettings): Promise<boolean>;
  /** Whether there was such a trigger; what waits for it stays. */
  removeTrigger(key: TriggerKey): Promise<boolean>;
  /**
   * Stores a delivery of each event for each listener: all of them, or none; rejects with `queue_full` when
   * they are more than `room`.
   */
  publish(topic: string, events: readonly HostEvent[], room: number): Promise<Published>;
  /** Stores those events whose instants are later than those seen, and notes that all until `seenMs` are. */
  fire(
    triggerId: number,
    events: readonly { readonly atMs: number; readonly event: HostEvent }[],
    seenMs: number,
  ): Promise<Published>;
  /** The clock was set back by so many ms: what waited for a time does not wait for longer. */
  clockSetBack(byMs: number): Promise<void>;
  /** Begins attempts. */
  lease(ids: readonly number[]): Promise<void>;
  end(ends: readonly AttemptEnd[]): Promise<Told>;
  /** Makes dead letters ready, as if they were new; how many, and of which triggers. */
  redrive(filter: Omit<DeliveryFilter, "state"> & { readonly id: number | null }): Promise<Published>;
  /** Removes a delivery that no attempt runs for; whether there was one. */
  drop(id: number): Promise<boolean>;
}

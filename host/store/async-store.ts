// The contract of asynchronous calls. They wait, are leased and end in the event queue (`event-store.ts`);
// here they are taken in, looked at, and removed when their time is over.

import type { AsyncCall, AsyncRequest, AsyncState, ListedCall } from "../async-call.ts";
import type { Cause, Told } from "./cause.ts";

export type AsyncFilter = {
  readonly namespace: string;
  readonly function: string | null;
  readonly state: AsyncState | null;
};

export interface AsyncStore {
  get(id: string): AsyncCall | null;
  /** In the order in which they came, behind the place `after`. */
  list(filter: AsyncFilter, after: number, limit: number): ListedCall[];
  /** Unix milliseconds at which the next one is to be removed, or null. */
  nextExpiryMs(): number | null;

  /** Rejects with `queue_full`. */
  accept(
    request: AsyncRequest,
    body: Uint8Array,
    times: { readonly keepMs: number; readonly maxAgeMs: number },
    cause: Cause,
  ): Promise<Told>;
  /** Removes one that does not run, wherever it is; how many deliveries went with it, or null for none such. */
  remove(id: string): Promise<number | null>;
  /** Removes at most `max` whose time is over. */
  expire(max: number): Promise<{ readonly removed: number; readonly deliveries: number }>;
}

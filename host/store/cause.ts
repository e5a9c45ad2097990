// What a change of a store comes from, for the events that tell of it.

import type { Published } from "./event-store.ts";

export type Cause = {
  /** How many calls of functions led to the change; the events that tell of it stem from one more. */
  readonly depth: number;
  /** How many deliveries the queue has room for. */
  readonly room: number;
};

/** What a change gives, and whom it is told to. */
export type Told = { readonly published: Published };

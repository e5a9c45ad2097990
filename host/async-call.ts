// The nouns of asynchronous calls: a request that is answered later, and what came of it. No I/O.

import type { DeliveryFault } from "./event.ts";

/** The trigger under which they wait in the event queue; a trigger of a user has no such name. */
export const asyncTrigger = "@async";

/** What is kept of a request besides its body, headers as names and values alternating. */
export type AsyncRequest = {
  readonly id: string;
  readonly function: string;
  /** The version that the request pins, or null for the one that is live when it is called. */
  readonly pin: string | null;
  readonly method: string;
  readonly url: string;
  readonly path: string;
  readonly query: string;
  readonly remoteAddress: string;
  readonly headers: readonly string[];
};

export type AsyncAnswer = {
  readonly status: number;
  /** Names and values alternate. */
  readonly headers: readonly string[];
  readonly body: Uint8Array;
};

/** queued: waits for its first or next attempt · running · succeeded: there is an answer · failed: given up. */
export type AsyncState = "queued" | "running" | "succeeded" | "failed";

export type AsyncCall = {
  readonly id: string;
  readonly function: string;
  readonly state: AsyncState;
  /** Attempts begun. */
  readonly attempts: number;
  /** Unix milliseconds. */
  readonly createdAtMs: number;
  readonly finishedAtMs: number | null;
  readonly expiresAtMs: number | null;
  readonly answer: AsyncAnswer | null;
  /** Of the last attempt that failed. */
  readonly fault: DeliveryFault | null;
};

/** One as it is listed: without its answer, and where it is in the order in which they came. */
export type ListedCall = Omit<AsyncCall, "answer"> & { readonly place: number };

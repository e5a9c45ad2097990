// The nouns of events: what has happened, as CloudEvents 1.0 describes it, and a delivery of it to one
// function. No I/O.

/** An event on its way: attributes as texts by name, without `specversion`, and bytes. */
export type HostEvent = {
  readonly attributes: Readonly<Record<string, string>>;
  readonly data: Uint8Array;
  /** How many calls of functions led to it. */
  readonly depth: number;
};

/** ready: waits for its time or a place · leased: an attempt runs · dead: given up, kept to be looked at. */
export type DeliveryState = "ready" | "leased" | "dead";

/** Why an attempt failed. */
export type DeliveryFault = {
  readonly code: string;
  readonly message: string;
  /** Log lines of the attempt, oldest first. */
  readonly lines: readonly string[];
};

export type Delivery = {
  readonly id: number;
  readonly function: string;
  readonly trigger: string;
  readonly state: DeliveryState;
  /** Attempts begun. */
  readonly attempts: number;
  /** Unix milliseconds. */
  readonly dueAtMs: number;
  readonly createdAtMs: number;
  readonly fault: DeliveryFault | null;
  readonly event: HostEvent;
};

/** A delivery as it is listed: without what its event carries. */
export type ListedDelivery = Omit<Delivery, "event"> & {
  readonly event: Omit<HostEvent, "data"> & { readonly bytes: number };
};

/** A function's trigger by name. */
export type TriggerKey = { readonly function: string; readonly trigger: string };

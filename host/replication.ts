// The nouns of a trigger of kind `postgres`: what it shows of itself, and how far its stream has come. No I/O.

/** Up to where changes are stored: the change of that number of the transaction that was committed there. */
export type ReplicationPosition = {
  /** The cluster's system identifier and its timeline: positions of another say nothing. */
  readonly system: string;
  /** As `00000000/0156B8A8`, so that texts are in the order of positions. */
  readonly lsn: string;
  readonly change: number;
};

/**
 * connecting · connected: changes are stored as they come · waiting: the event queue is full, PostgreSQL keeps
 * them meanwhile · reconnecting: after the fault in `error`
 */
export type ReplicationStatus = "connecting" | "connected" | "waiting" | "reconnecting";

export type ReplicationState = {
  readonly status: ReplicationStatus;
  readonly since: string;
  /** Up to where PostgreSQL need not keep the log for this trigger; null before it is known. */
  readonly confirmedLsn: string | null;
  /** What PostgreSQL has told of and is not confirmed, bytes of its log; null while it is not known. */
  readonly lagBytes: number | null;
  /** Of the connection before, until one stands again. */
  readonly error: { readonly code: string; readonly message: string } | null;
};

/** What is shown of a trigger of kind `postgres` besides its settings. */
export type ShownReplication = {
  /** `HOST:PORT/NAME`: where the URL leads, without user and password. */
  readonly database: string;
  readonly slot: string;
  readonly state: ReplicationState;
};

// The contract of what is kept of replication slots: which trigger has which, how its database is reached,
// and up to where its changes are stored. A slot is noted before it is made and until it is dropped, so that
// none is left behind. Reads are synchronous; changes resolve once they are durable.

import type { HostEvent, TriggerKey } from "../event.ts";
import type { ReplicationPosition } from "../replication.ts";
import type { PostgresSettings } from "../trigger.ts";
import type { Published } from "./event-store.ts";

export type Replication = {
  readonly id: number;
  readonly slot: string;
  /** `HOST:PORT/NAME` */
  readonly database: string;
  /** Sealed for `slot`. */
  readonly sealedUrl: Uint8Array;
};

export type FollowedReplication = Replication & {
  readonly key: TriggerKey;
  readonly settings: PostgresSettings;
};

export type TakenChange = { readonly position: ReplicationPosition; readonly event: HostEvent };

export interface ReplicationStore {
  /** Those of triggers. */
  followed(): FollowedReplication[];
  ofTrigger(key: TriggerKey): FollowedReplication | null;
  /** Those of no trigger: being made, or to be dropped. */
  left(): Replication[];

  /** Notes one of no trigger; its id. */
  note(replication: Omit<Replication, "id">): Promise<number>;
  /** Adds or replaces the trigger, to which the replication is given; whether the trigger is a new one. */
  putTrigger(
    key: TriggerKey,
    settings: PostgresSettings,
    replication: Omit<Replication, "slot">,
  ): Promise<boolean>;
  /** Stores the events of those changes that lie behind what is stored, and their position with them. */
  take(id: number, changes: readonly TakenChange[]): Promise<Published>;
  /** The slot is dropped. */
  forget(id: number): Promise<void>;
}

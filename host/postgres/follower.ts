// Follows the changes of one trigger's database for as long as there is the trigger: connects, streams, and
// begins again after a pause that grows, whatever ended the connection.

import { setTimeout as pause } from "node:timers/promises";
import type { Client } from "pg";
import { HostError } from "../errors.ts";
import type { EventQueue } from "../events/queue.ts";
import type { ReplicationState, ReplicationStatus } from "../replication.ts";
import type { FollowedReplication, ReplicationStore } from "../store/replication-store.ts";
import type { PostgresSettings } from "../trigger.ts";
import { ChangeReader } from "./changes.ts";
import { connect, databaseFault, disconnect, isMissing } from "./client.ts";
import type { DatabaseUrl } from "./database-url.ts";
import { lsnText } from "./lsn.ts";
import { publicationOf } from "./slot.ts";
import { ReplicationStream, type StoredChanges } from "./stream.ts";

export type FollowerParts = {
  readonly replication: FollowedReplication;
  readonly settings: PostgresSettings;
  readonly url: DatabaseUrl;
  readonly store: Pick<ReplicationStore, "take">;
  readonly queue: Pick<EventQueue, "hasRoomFor" | "roomFor" | "storing">;
  readonly onFault: (error: unknown) => void;
  /** Told of a connection that was lost or not to be had, once until one stands again. */
  readonly onLost: (fault: HostError) => void;
};

const restMsMin = 250;
const restMsMax = 30_000;
/** A connection that stood for so long was a good one: the next pause is a short one. */
const goodMs = 10_000;
/** A server that does not take the end of a stream is left, ms. */
const stopMs = 2_000;

export class Follower {
  readonly #parts: FollowerParts;
  readonly #closing = new AbortController();
  readonly #done: Promise<void>;
  #status: ReplicationStatus = "connecting";
  #sinceMs = Date.now();
  #fault: HostError | null = null;
  #confirmed = 0n;
  #told = 0n;
  #stream: ReplicationStream | null = null;
  #client: Client | null = null;
  /** Failures since something was last stored, or a connection stood for long. */
  #failures = 0;

  constructor(parts: FollowerParts) {
    this.#parts = parts;
    this.#done = this.#follow();
  }

  get state(): ReplicationState {
    const isKnown = this.#confirmed > 0n;
    const lag = this.#told - this.#confirmed;
    return {
      status: this.#status,
      since: new Date(this.#sinceMs).toISOString(),
      confirmedLsn: isKnown ? lsnText(this.#confirmed) : null,
      lagBytes: isKnown ? Number(lag > 0n ? lag : 0n) : null,
      error: this.#fault === null ? null : { code: this.#fault.code, message: this.#fault.message },
    };
  }

  /** Whether something that the slot needs is gone: the slot, or the publication at that place of the log. */
  get isStuck(): boolean {
    return isMissing(this.#fault);
  }

  /** Ends the stream as the protocol has it; resolves when nothing is stored any more. */
  async close(): Promise<void> {
    this.#closing.abort();
    const stream = this.#stream;
    const late = setTimeout(() => this.#client?.connection.stream.destroy(), stopMs);
    await stream?.stop();
    await this.#done;
    clearTimeout(late);
  }

  async #follow(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const beganMs = performance.now();
      try {
        await this.#followOnce();
      } catch (error) {
        if (signal.aborted) return;
        if (performance.now() - beganMs > goodMs) this.#failures = 0;
        this.#lost(error);
        // In part by chance: many triggers of one database do not come back at once.
        const restMs = Math.min(restMsMax, restMsMin * 2 ** this.#failures) * (0.5 + Math.random() / 2);
        this.#failures += 1;
        await pause(restMs, undefined, { signal, ref: false }).catch(() => {});
      }
    }
  }

  async #followOnce(): Promise<void> {
    const { settings, url, replication } = this.#parts;
    const { PgoutputPlugin } = await import("pg-logical-replication");
    const client = await connect(url, { replication: true });
    this.#client = client;
    try {
      const { rows } = await client.query<{ systemid: string; timeline: number }>("IDENTIFY_SYSTEM");
      const publication = publicationOf(settings, replication.slot);
      const reader = new ChangeReader({
        plugin: new PgoutputPlugin({ protoVersion: 1, publicationNames: [publication] }),
        settings,
        database: url.name,
        // A server that was promoted may use places of the log again.
        system: `${rows[0]?.systemid}-${rows[0]?.timeline}`,
      });
      const stream = new ReplicationStream({
        client,
        slot: replication.slot,
        publication,
        reader,
        store: (changes) => this.#store(changes),
        onStarted: () => this.#became("connected"),
        onProgress: (confirmed, told) => {
          this.#confirmed = confirmed;
          this.#told = told;
        },
      });
      if (this.#closing.signal.aborted) return;
      this.#stream = stream;
      await stream.run();
    } finally {
      this.#stream = null;
      this.#client = null;
      await disconnect(client);
    }
  }

  async #store(changes: StoredChanges): Promise<void> {
    const { queue, store, replication, onFault } = this.#parts;
    await this.#roomFor(changes.length);
    const taken = changes.map(({ position, event }) => ({ position, event }));
    try {
      await queue.storing(() => store.take(replication.id, taken));
    } catch (error) {
      if (error instanceof HostError) throw error;
      onFault(error);
      throw new HostError("internal", "The host could not store what has changed; its log says why");
    }
    this.#failures = 0;
  }

  /** Waits while the queue is full: nothing is confirmed meanwhile, and little is read. */
  async #roomFor(deliveries: number): Promise<void> {
    const { queue } = this.#parts;
    const { signal } = this.#closing;
    if (queue.hasRoomFor(deliveries)) return;
    this.#became("waiting");
    await queue.roomFor(deliveries, signal);
    this.#became("connected");
  }

  #lost(error: unknown): void {
    const isNew = this.#fault === null;
    // What the event queue refuses, such as a full disk, is a fault with a code as well.
    const fault = error instanceof HostError ? error : databaseFault(error, this.#parts.url);
    this.#status = "reconnecting";
    this.#sinceMs = isNew ? Date.now() : this.#sinceMs;
    this.#fault = fault;
    if (isNew) this.#parts.onLost(fault);
  }

  #became(status: ReplicationStatus): void {
    if (this.#status !== status) this.#sinceMs = Date.now();
    this.#status = status;
    if (status === "connected") this.#fault = null;
  }
}

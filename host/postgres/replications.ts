// The triggers of kind `postgres`: makes what they need in their databases when they are put, follows each of
// them, and drops the slots of those that are gone. What is to be done is read from the store whenever
// something has changed.

import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { HostError } from "../errors.ts";
import type { TriggerKey } from "../event.ts";
import type { EventQueue } from "../events/queue.ts";
import type { ShownReplication } from "../replication.ts";
import type { SecretBox } from "../secret-box.ts";
import type { FollowedReplication, Replication, ReplicationStore } from "../store/replication-store.ts";
import type { PostgresSettings } from "../trigger.ts";
import { isGone, withClient } from "./client.ts";
import { type DatabaseUrl, describeDatabase, parseDatabaseUrl } from "./database-url.ts";
import { Follower } from "./follower.ts";
import { assertUsable, dropSlot, isIntact, makePublication, makeSlot, publicationOf } from "./slot.ts";

export type ReplicationsParts = {
  readonly store: ReplicationStore;
  readonly queue: EventQueue;
  readonly secrets: SecretBox;
  readonly onFault: (error: unknown) => void;
  /** A line for the operator. */
  readonly warn: (message: string) => void;
};

type Followed = { readonly follower: Follower; readonly replication: FollowedReplication };

const dropRestMsMin = 500;
const dropRestMsMax = 600_000;

export class Replications {
  readonly #parts: ReplicationsParts;
  readonly #followed = new Map<number, Followed>();
  /** Being made, dropped or ended. */
  readonly #busy = new Map<number, Promise<void> | null>();
  readonly #puts = new Map<string, Promise<unknown>>();
  readonly #closing = new AbortController();

  constructor(parts: ReplicationsParts) {
    this.#parts = parts;
  }

  /** Looks what there is to follow and to drop: at the start, and when triggers have changed. */
  refresh(): void {
    if (this.#closing.signal.aborted) return;
    const { store } = this.#parts;
    const wanted = new Map(store.followed().map((replication) => [replication.id, replication]));
    for (const [id, { follower, replication }] of this.#followed) {
      const now = wanted.get(id);
      if (now !== undefined && isSame(now, replication)) continue;
      this.#followed.delete(id);
      this.#during(id, follower.close());
    }
    for (const replication of wanted.values()) {
      if (!this.#followed.has(replication.id) && !this.#busy.has(replication.id)) this.#follow(replication);
    }
    for (const replication of store.left()) {
      if (!this.#busy.has(replication.id)) this.#during(replication.id, this.#drop(replication));
    }
  }

  /**
   * Adds or replaces a trigger once its database has what it needs; whether it is a new one. Rejects with
   * `invalid_trigger`, `database_unreachable`, `database_refused` or `function_not_found`.
   */
  async put(key: TriggerKey, settings: PostgresSettings): Promise<boolean> {
    const name = `${key.function}/${key.trigger}`;
    const before = this.#puts.get(name) ?? Promise.resolve();
    const put = before.then(() => this.#put(key, settings));
    const settled = put.catch(() => {});
    this.#puts.set(name, settled);
    try {
      return await put;
    } finally {
      if (this.#puts.get(name) === settled) this.#puts.delete(name);
    }
  }

  /** What is shown of a trigger's replication; null where it has none. */
  shown(key: TriggerKey): ShownReplication | null {
    const replication = this.#parts.store.ofTrigger(key);
    if (replication === null) return null;
    const { database, slot, id } = replication;
    return { database, slot, state: this.#followed.get(id)?.follower.state ?? notYet() };
  }

  /** Ends the streams; what was stored is confirmed. */
  async close(): Promise<void> {
    this.#closing.abort();
    const ends = [...this.#followed.values()].map(({ follower }) => follower.close());
    await Promise.allSettled([...ends, ...this.#busy.values()]);
  }

  async #put(key: TriggerKey, { url: text, ...settings }: PostgresSettings): Promise<boolean> {
    const { store, secrets } = this.#parts;
    const known = store.ofTrigger(key);
    if (text === undefined && known === null) {
      throw new HostError("invalid_trigger", "The trigger is not valid: want the url of its database");
    }
    const secret = text ?? secrets.open(known?.sealedUrl ?? Buffer.alloc(0), known?.slot ?? "");
    const url = parseDatabaseUrl(secret);
    const database = describeDatabase(url);
    const kept = await this.#mend(known, settings, url);
    if (kept !== null) {
      const sealedUrl = await secrets.seal(secret, kept.slot);
      const created = await store.putTrigger(key, settings, { id: kept.id, database, sealedUrl });
      this.refresh();
      return created;
    }
    return this.#putAnew(key, settings, { secret, url, database });
  }

  /** Has the known slot serve the new settings; null where it cannot, and another one is to be made. */
  async #mend(
    known: FollowedReplication | null,
    settings: PostgresSettings,
    url: DatabaseUrl,
  ): Promise<FollowedReplication | null> {
    return withClient(url, async (client) => {
      await assertUsable(client, settings, url);
      if (known === null || known.database !== describeDatabase(url)) return null;
      if (known.settings.publication !== settings.publication) return null;
      if (this.#followed.get(known.id)?.follower.isStuck === true) return null;
      if (!(await isIntact(client, known.slot, publicationOf(settings, known.slot)))) return null;
      if (settings.publication === null) await makePublication(client, known.slot, settings);
      return known;
    });
  }

  async #putAnew(
    key: TriggerKey,
    settings: PostgresSettings,
    {
      secret,
      url,
      database,
    }: { readonly secret: string; readonly url: DatabaseUrl; readonly database: string },
  ): Promise<boolean> {
    const { store, secrets } = this.#parts;
    const slot = slotName(key);
    const sealedUrl = await secrets.seal(secret, slot);
    const id = await store.note({ slot, database, sealedUrl });
    this.#busy.set(id, null);
    try {
      await withClient(url, async (client) => {
        if (settings.publication === null) await makePublication(client, slot, settings);
        await makeSlot(client, slot);
      });
      return await store.putTrigger(key, settings, { id, database, sealedUrl });
    } finally {
      this.#busy.delete(id);
      // What could not be put is dropped again.
      this.refresh();
    }
  }

  #follow(replication: FollowedReplication): void {
    const { store, queue, warn, onFault } = this.#parts;
    const { key, settings, slot } = replication;
    const follower = new Follower({
      replication,
      settings,
      url: parseDatabaseUrl(this.#parts.secrets.open(replication.sealedUrl, slot)),
      store,
      queue,
      onFault,
      onLost: ({ message }) => warn(`the trigger ${key.function}/${key.trigger} is cut off: ${message}`),
    });
    this.#followed.set(replication.id, { follower, replication });
  }

  /** Until it is done, or the host ends: the next one begins with it. */
  async #drop(replication: Replication): Promise<void> {
    const { store, secrets, warn } = this.#parts;
    const { id, slot, database, sealedUrl } = replication;
    const { signal } = this.#closing;
    for (let restMs = dropRestMsMin; !signal.aborted; restMs = Math.min(restMs * 2, dropRestMsMax)) {
      try {
        const url = parseDatabaseUrl(secrets.open(sealedUrl, slot));
        await withClient(url, (client) => dropSlot(client, slot));
        return await store.forget(id);
      } catch (error) {
        if (isGone(error)) return await store.forget(id);
        // A stream that has just ended may hold it for a moment.
        if (restMs > 4 * dropRestMsMin) {
          const reason = error instanceof Error ? error.message : String(error);
          warn(`the replication slot ${slot} of ${database} is not dropped yet and keeps its log: ${reason}`);
        }
        await pause(restMs, undefined, { signal, ref: false }).catch(() => {});
      }
    }
  }

  /** Nothing else is done with that replication meanwhile; afterwards it is looked at again. */
  #during(id: number, work: Promise<void>): void {
    const done = work
      .catch((error: unknown) => this.#parts.onFault(error))
      .then(() => {
        this.#busy.delete(id);
        this.refresh();
      });
    this.#busy.set(id, done);
  }
}

/** Names that tell people what they are for; the rest is chance, so that no two hosts share a slot. */
function slotName({ function: name, trigger }: TriggerKey): string {
  const part = (text: string): string => text.replace(/[-.]/g, "_").slice(0, 20);
  return `mayfly_${part(name)}_${part(trigger)}_${randomBytes(4).toString("hex")}`;
}

function isSame(one: FollowedReplication, other: FollowedReplication): boolean {
  return (
    JSON.stringify(one.settings) === JSON.stringify(other.settings) &&
    Buffer.compare(one.sealedUrl, other.sealedUrl) === 0
  );
}

function notYet(): ShownReplication["state"] {
  const since = new Date().toISOString();
  return { status: "connecting", since, confirmedLsn: null, lagBytes: null, error: null };
}

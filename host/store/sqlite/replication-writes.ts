// The changes of replication slots, run by the writer thread: a change of a database becomes a delivery in the
// transaction that notes it as stored.

import type { DatabaseSync } from "node:sqlite";
import type { TriggerKey } from "../../event.ts";
import type { PostgresSettings } from "../../trigger.ts";
import type { Published } from "../event-store.ts";
import type { Replication, TakenChange } from "../replication-store.ts";
import { type EventWrites, toListener } from "./event-writes.ts";
import { StatementCache } from "./statement-cache.ts";

export class ReplicationWrites {
  readonly #sql: StatementCache;
  readonly #events: EventWrites;

  constructor(database: DatabaseSync, events: EventWrites) {
    this.#sql = new StatementCache(database);
    this.#events = events;
  }

  note({ slot, database, sealedUrl }: Omit<Replication, "id">): number {
    const row = this.#sql.get(
      "INSERT INTO replications (slot, database, url) VALUES (?, ?, ?) RETURNING id",
      slot,
      database,
      sealedUrl,
    );
    return Number(row?.["id"]);
  }

  putTrigger(
    key: TriggerKey,
    settings: PostgresSettings,
    { id, database, sealedUrl }: Omit<Replication, "slot">,
  ): boolean {
    // Which takes the trigger's replication away from it, whatever kind it was of.
    const created = this.#events.putTrigger(key, settings);
    this.#sql.run(
      `UPDATE replications SET database = ?, url = ?,
         trigger = (SELECT id FROM triggers WHERE function = ? AND name = ?) WHERE id = ?`,
      database,
      sealedUrl,
      key.function,
      key.trigger,
      id,
    );
    return created;
  }

  take(id: number, changes: readonly TakenChange[]): Published {
    const row = this.#sql.get(
      `SELECT r.system, r.lsn, r.change, t.* FROM replications r JOIN triggers t ON t.id = r.trigger
       WHERE r.id = ?`,
      id,
    );
    const last = changes.at(-1)?.position;
    // The trigger was removed meanwhile.
    if (row === undefined || last === undefined) return { listeners: [], deliveries: 0 };
    const { system, lsn, change } = row;
    const isStored = ({ position }: TakenChange): boolean =>
      position.system === system &&
      (position.lsn < String(lsn) || (position.lsn === lsn && position.change <= Number(change)));
    const fresh = changes.filter((taken) => !isStored(taken));
    if (fresh.length === 0) return { listeners: [], deliveries: 0 };
    this.#sql.run(
      "UPDATE replications SET system = ?, lsn = ?, change = ? WHERE id = ?",
      last.system,
      last.lsn,
      last.change,
      id,
    );
    return this.#events.deliver(
      [toListener(row)],
      fresh.map(({ event }) => event),
    );
  }

  forget(id: number): void {
    this.#sql.run("DELETE FROM replications WHERE id = ? AND trigger IS NULL", id);
  }
}

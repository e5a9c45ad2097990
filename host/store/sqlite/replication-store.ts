// Replication slots in SQLite: reads on this thread's connection, changes through the writer thread.

import type { DatabaseSync } from "node:sqlite";
import type { TriggerKey } from "../../event.ts";
import type { Published } from "../event-store.ts";
import type {
  FollowedReplication,
  Replication,
  ReplicationStore,
  TakenChange,
} from "../replication-store.ts";
import { type Row, StatementCache } from "./statement-cache.ts";
import type { Writer } from "./writer.ts";

const followed = `SELECT r.*, t.function, t.name, t.settings_json
  FROM replications r JOIN triggers t ON t.id = r.trigger`;

export class SqliteReplicationStore implements ReplicationStore {
  readonly #sql: StatementCache;
  readonly #writer: Writer;

  constructor(database: DatabaseSync, writer: Writer) {
    this.#sql = new StatementCache(database);
    this.#writer = writer;
  }

  followed(): FollowedReplication[] {
    return this.#sql.all(followed).map(toFollowed);
  }

  ofTrigger({ function: name, trigger }: TriggerKey): FollowedReplication | null {
    const row = this.#sql.get(`${followed} WHERE t.function = ? AND t.name = ?`, name, trigger);
    return row === undefined ? null : toFollowed(row);
  }

  left(): Replication[] {
    return this.#sql.all("SELECT * FROM replications WHERE trigger IS NULL").map(toReplication);
  }

  note(replication: Omit<Replication, "id">): Promise<number> {
    return this.#writer.write("replications", "note", replication);
  }

  putTrigger(...change: Parameters<ReplicationStore["putTrigger"]>): Promise<boolean> {
    return this.#writer.write("replications", "putTrigger", ...change);
  }

  take(id: number, changes: readonly TakenChange[]): Promise<Published> {
    return this.#writer.write("replications", "take", id, changes);
  }

  forget(id: number): Promise<void> {
    return this.#writer.write("replications", "forget", id);
  }
}

function toReplication(row: Row): Replication {
  return {
    id: Number(row["id"]),
    slot: String(row["slot"]),
    database: String(row["database"]),
    sealedUrl: row["url"] as Uint8Array,
  };
}

function toFollowed(row: Row): FollowedReplication {
  return {
    ...toReplication(row),
    key: { function: String(row["function"]), trigger: String(row["name"]) },
    settings: JSON.parse(String(row["settings_json"])),
  };
}

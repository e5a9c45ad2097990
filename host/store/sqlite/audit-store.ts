// The audit log in SQLite: reads on this thread's connection, changes through the writer thread.

import type { DatabaseSync } from "node:sqlite";
import type { AuditBegin, AuditEnd, AuditEntry, Who } from "../../audit-entry.ts";
import type { AuditStore } from "../audit-store.ts";
import { StatementCache } from "./statement-cache.ts";
import type { Writer } from "./writer.ts";

export class SqliteAuditStore implements AuditStore {
  readonly #sql: StatementCache;
  readonly #writer: Writer;

  constructor(database: DatabaseSync, writer: Writer) {
    this.#sql = new StatementCache(database);
    this.#writer = writer;
  }

  list(namespace: string | null, before: number | null, limit: number): AuditEntry[] {
    return this.#sql
      .all(
        `SELECT * FROM audit WHERE (?1 IS NULL OR namespace = ?1) AND (?2 IS NULL OR id < ?2)
         ORDER BY id DESC LIMIT ?3`,
        namespace,
        before,
        limit,
      )
      .map((row) => ({
        id: Number(row["id"]),
        atMs: Number(row["at_ms"]),
        who: String(row["who"]) as Who,
        method: String(row["method"]),
        target: String(row["target"]),
        namespace: String(row["namespace"]),
        requestId: String(row["request_id"]),
        status: row["status"] === null ? null : Number(row["status"]),
        before: parsed(row["before_json"]),
        after: parsed(row["after_json"]),
      }));
  }

  begin(entry: AuditBegin): Promise<number> {
    return this.#writer.write("audit", "begin", entry);
  }

  end(end: AuditEnd): Promise<void> {
    return this.#writer.write("audit", "end", end);
  }

  forget(id: number): Promise<void> {
    return this.#writer.write("audit", "forget", id);
  }
}

function parsed(text: unknown): unknown {
  return typeof text === "string" ? JSON.parse(text) : null;
}

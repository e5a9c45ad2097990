// The changes of the audit log, run by the writer thread.

import type { DatabaseSync } from "node:sqlite";
import type { AuditBegin, AuditEnd } from "../../audit-entry.ts";
import { limits } from "../../limits.ts";
import { StatementCache } from "./statement-cache.ts";

export class AuditWrites {
  readonly #sql: StatementCache;

  constructor(database: DatabaseSync) {
    this.#sql = new StatementCache(database);
  }

  begin({ who, method, target, namespace, requestId }: AuditBegin): number {
    const now = Date.now();
    const row = this.#sql.get(
      `INSERT INTO audit (at_ms, who, method, target, namespace, request_id) VALUES (?, ?, ?, ?, ?, ?)
       RETURNING id`,
      now,
      who,
      method,
      target,
      namespace,
      requestId,
    );
    const id = Number(row?.["id"]);
    this.#sql.run("DELETE FROM audit WHERE id <= ?", id - limits.auditEntriesMax);
    this.#sql.run("DELETE FROM audit WHERE at_ms < ?", now - limits.auditAgeMs);
    return id;
  }

  end({ id, status, before, after }: AuditEnd): void {
    this.#sql.run(
      "UPDATE audit SET status = ?, before_json = ?, after_json = ? WHERE id = ?",
      status,
      bounded(before),
      bounded(after),
      id,
    );
  }

  forget(id: number): void {
    this.#sql.run("DELETE FROM audit WHERE id = ?", id);
  }
}

function bounded(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  const text = JSON.stringify(value);
  const bytes = Buffer.byteLength(text);
  return bytes <= limits.auditValueBytesMax ? text : JSON.stringify({ tooLarge: true, bytes });
}

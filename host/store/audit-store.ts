// The contract of the audit log. Reads are synchronous and answer from committed state; changes resolve once
// they are durable. An entry is begun before its change is made, so that no change is without one.

import type { AuditBegin, AuditEnd, AuditEntry } from "../audit-entry.ts";

export interface AuditStore {
  /** Newest first, before the entry `before`; of one namespace unless that is null. */
  list(namespace: string | null, before: number | null, limit: number): AuditEntry[];

  /** Its id. What is too old or too much goes. */
  begin(entry: AuditBegin): Promise<number>;
  end(end: AuditEnd): Promise<void>;
  /** Nothing was changed. */
  forget(id: number): Promise<void>;
}

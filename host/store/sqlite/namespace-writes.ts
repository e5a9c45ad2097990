// The changes of namespaces, run by the writer thread.

import type { DatabaseSync } from "node:sqlite";
import { HostError } from "../../errors.ts";
import type { Namespace } from "../../quotas.ts";
import { bytesIn, functionsIn, namespaceIn } from "./namespace-use.ts";
import { StatementCache } from "./statement-cache.ts";

export class NamespaceWrites {
  readonly #sql: StatementCache;

  constructor(database: DatabaseSync) {
    this.#sql = new StatementCache(database);
  }

  put({ name, quotas, createdAtMs }: Namespace): void {
    this.#sql.run(
      `INSERT INTO namespaces (name, quotas_json, created_at_ms) VALUES (?1, ?2, ?3)
       ON CONFLICT (name) DO UPDATE SET quotas_json = ?2`,
      name,
      JSON.stringify(quotas),
      createdAtMs,
    );
  }

  /** How many deliveries went with it. */
  remove(name: string): number {
    const { functions } = functionsIn(this.#sql, name);
    const { kv, blobs } = bytesIn(this.#sql, name);
    if (functions > 0 || kv > 0 || blobs > 0) {
      throw new HostError(
        "namespace_in_use",
        `The namespace "${name}" has ${functions} functions, ${kv} bytes in stores and ${blobs} bytes of blobs; remove them first`,
      );
    }
    // Whoever has the name next is to find nothing of this one: configurations and secrets without a version go
    // with their rows, then what waited or was kept of calls and events.
    this.#sql.run(`DELETE FROM functions WHERE ${namespaceIn("name")} = ?`, name);
    this.#sql.run(`DELETE FROM invocations WHERE ${namespaceIn("function")} = ?`, name);
    const { changes } = this.#sql.run(`DELETE FROM deliveries WHERE ${namespaceIn("function")} = ?`, name);
    this.#sql.run("DELETE FROM events WHERE id NOT IN (SELECT event FROM deliveries)");
    this.#sql.run("DELETE FROM tokens WHERE namespace = ?", name);
    this.#sql.run("DELETE FROM namespace_bytes WHERE namespace = ?", name);
    this.#sql.run("DELETE FROM namespaces WHERE name = ?", name);
    return changes;
  }
}

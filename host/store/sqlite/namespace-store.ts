// Namespaces in SQLite: reads on this thread's connection, changes through the writer thread.

import type { DatabaseSync } from "node:sqlite";
import type { Namespace, NamespaceUse } from "../../quotas.ts";
import type { NamespaceStore } from "../namespace-store.ts";
import { bytesIn, functionsIn } from "./namespace-use.ts";
import { StatementCache } from "./statement-cache.ts";
import type { Writer } from "./writer.ts";

export class SqliteNamespaceStore implements NamespaceStore {
  readonly #sql: StatementCache;
  readonly #writer: Writer;

  constructor(database: DatabaseSync, writer: Writer) {
    this.#sql = new StatementCache(database);
    this.#writer = writer;
  }

  all(): Namespace[] {
    return this.#sql.all("SELECT * FROM namespaces ORDER BY name").map((row) => ({
      name: String(row["name"]),
      quotas: JSON.parse(String(row["quotas_json"])),
      createdAtMs: Number(row["created_at_ms"]),
    }));
  }

  use(name: string): NamespaceUse {
    const { kv, blobs } = bytesIn(this.#sql, name);
    return { ...functionsIn(this.#sql, name), kvBytes: kv, blobBytes: blobs };
  }

  put(namespace: Namespace): Promise<void> {
    return this.#writer.write("namespaces", "put", namespace);
  }

  remove(name: string): Promise<number> {
    return this.#writer.write("namespaces", "remove", name);
  }
}

// The index of blobs in SQLite: reads on this thread's connection, changes through the writer thread.

import type { DatabaseSync } from "node:sqlite";
import type { Blob, BlobPut, BlobStore } from "../blob-store.ts";
import type { Cause } from "../cause.ts";
import type { Condition } from "../condition.ts";
import { toBlob } from "./blob-row.ts";
import { keyRange } from "./key-range.ts";
import { StatementCache } from "./statement-cache.ts";
import type { Writer } from "./writer.ts";

export class SqliteBlobStore implements BlobStore {
  readonly #sql: StatementCache;
  readonly #writer: Writer;

  constructor(database: DatabaseSync, writer: Writer) {
    this.#sql = new StatementCache(database);
    this.#writer = writer;
  }

  get(bucket: string, key: string): Blob | null {
    const row = this.#sql.get("SELECT * FROM blobs WHERE bucket = ? AND key = ?", bucket, Buffer.from(key));
    return row === undefined ? null : toBlob(row);
  }

  list(
    bucket: string,
    { prefix, after, limit }: { prefix: string; after: string | null; limit: number },
  ): Blob[] {
    const { from, end } = keyRange(prefix);
    return this.#sql
      .all(
        `SELECT * FROM blobs WHERE bucket = ?1 AND key >= ?2 AND (?3 IS NULL OR key < ?3)
           AND (?4 IS NULL OR key > ?4) ORDER BY key LIMIT ?5`,
        bucket,
        from,
        end,
        after === null ? null : Buffer.from(after),
        limit,
      )
      .map(toBlob);
  }

  buckets(): { bucket: string; blobs: number; bytes: number }[] {
    const sql = "SELECT bucket, count(*) AS blobs, sum(bytes) AS bytes FROM blobs GROUP BY bucket";
    return this.#sql.all(sql).map((row) => ({
      bucket: String(row["bucket"]),
      blobs: Number(row["blobs"]),
      bytes: Number(row["bytes"]),
    }));
  }

  isUsed(digest: string): boolean {
    return this.#sql.get("SELECT 1 FROM blobs WHERE digest = ? LIMIT 1", digest) !== undefined;
  }

  put(puts: readonly BlobPut[], condition: Condition<string>, cause: Cause): ReturnType<BlobStore["put"]> {
    return this.#writer.write("blobs", "put", puts, condition, cause);
  }

  delete(
    bucket: string,
    key: string,
    condition: Condition<string>,
    cause: Cause,
  ): ReturnType<BlobStore["delete"]> {
    return this.#writer.write("blobs", "delete", bucket, key, condition, cause);
  }
}

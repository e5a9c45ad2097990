// The changes of the index of blobs, run by the writer thread.

import type { DatabaseSync } from "node:sqlite";
import { plainName } from "../../namespace.ts";
import type { Blob, BlobPut } from "../blob-store.ts";
import type { Cause, Told } from "../cause.ts";
import { assertCondition, type Condition } from "../condition.ts";
import { toBlob } from "./blob-row.ts";
import type { EventWrites } from "./event-writes.ts";
import type { NamespaceRoom } from "./namespace-room.ts";
import { StatementCache } from "./statement-cache.ts";
import { Telling } from "./telling.ts";

export class BlobWrites {
  readonly #sql: StatementCache;
  readonly #events: EventWrites;
  readonly #room: NamespaceRoom;

  constructor(database: DatabaseSync, events: EventWrites, room: NamespaceRoom) {
    this.#sql = new StatementCache(database);
    this.#events = events;
    this.#room = room;
  }

  put(
    puts: readonly BlobPut[],
    condition: Condition<string>,
    cause: Cause,
  ): Told & { created: boolean; released: string[] } {
    const telling = new Telling(this.#events, cause);
    let created = false;
    const released: string[] = [];
    for (const put of puts) {
      const stored = this.#stored(put.bucket, put.key);
      assertCondition(stored?.digest ?? null, condition, "blob");
      this.#put(put);
      if (stored === null) created = true;
      else if (stored.digest !== put.digest) released.push(stored.digest);
      this.#room.assertBlobs(put.bucket);
      tell(telling, "created", put);
    }
    return { created, released, published: telling.published };
  }

  delete(
    bucket: string,
    key: string,
    condition: Condition<string>,
    cause: Cause,
  ): Told & { found: boolean; released: string[] } {
    const telling = new Telling(this.#events, cause);
    const stored = this.#stored(bucket, key);
    assertCondition(stored?.digest ?? null, condition, "blob");
    if (stored === null) return { found: false, released: [], published: telling.published };
    this.#sql.run("DELETE FROM blobs WHERE bucket = ? AND key = ?", bucket, Buffer.from(key));
    tell(telling, "deleted", stored);
    return { found: true, released: [stored.digest], published: telling.published };
  }

  #stored(bucket: string, key: string): Blob | null {
    const row = this.#sql.get("SELECT * FROM blobs WHERE bucket = ? AND key = ?", bucket, Buffer.from(key));
    return row === undefined ? null : toBlob(row);
  }

  #put({ bucket, key, digest, bytes, contentType, metadata }: BlobPut): void {
    this.#sql.run(
      `INSERT INTO blobs (bucket, key, digest, bytes, content_type, metadata_json, changed_at_ms)
       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (bucket, key) DO UPDATE SET
         digest = ?3, bytes = ?4, content_type = ?5, metadata_json = ?6, changed_at_ms = ?7`,
      bucket,
      Buffer.from(key),
      digest,
      bytes,
      contentType,
      JSON.stringify(metadata),
      Date.now(),
    );
  }
}

function tell(telling: Telling, change: "created" | "deleted", blob: BlobPut): void {
  const { key, digest, bytes, contentType, metadata } = blob;
  const bucket = plainName(blob.bucket);
  const told = {
    type: `mayfly.blob.${change}`,
    source: `/blobs/${bucket}`,
    key,
    data: { bucket, key, bytes, contentType, digest: `sha256:${digest}`, metadata },
  };
  telling.tell("blob", blob.bucket, ({ on, prefix, suffix }) => {
    return on.includes(change) && key.startsWith(prefix) && key.endsWith(suffix) ? told : null;
  });
}

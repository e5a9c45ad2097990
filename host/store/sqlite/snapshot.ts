// A copy of the database at one point in time, and what it says of files: read by whoever makes a backup, and
// by whoever checks one.

import { once } from "node:events";
import { DatabaseSync } from "node:sqlite";
import { Worker } from "node:worker_threads";
import { HostError } from "../../errors.ts";
import type { SnapshotReply, SnapshotTask } from "./snapshot-thread.ts";

const sqliteFull = 13;

/** Copies `file` to `target`, which must not be there, on a thread of its own. Rejects with `storage_full`. */
export async function takeSnapshot(file: string, target: string): Promise<void> {
  const workerData: SnapshotTask = { file, target };
  const worker = new Worker(new URL(import.meta.resolve("./snapshot-thread.ts")), { workerData });
  const [reply] = (await once(worker, "message")) as [SnapshotReply];
  if (reply.error === null) return;
  if (reply.errcode === sqliteFull) {
    throw new HostError("storage_full", "Cannot copy the database: the disk is full");
  }
  throw new Error(`Cannot copy the database: ${reply.error}`);
}

export class Snapshot implements Disposable {
  readonly #database: DatabaseSync;

  /** Throws when the file is no database. */
  constructor(file: string) {
    this.#database = new DatabaseSync(file, { readOnly: true });
  }

  get schema(): number {
    return Number(this.#database.prepare("PRAGMA user_version").get()?.["user_version"]);
  }

  /** What is wrong with its structure; null when nothing is. */
  fault(): string | null {
    const found = this.#database.prepare("PRAGMA quick_check(1)").get()?.["quick_check"];
    return found === "ok" ? null : String(found);
  }

  /** SHA-256, in hexadecimal digits, of modules and of the files that versions carry. */
  moduleDigests(): Iterable<string> {
    return this.#digests(`SELECT substr(digest, 8) AS digest FROM versions UNION
      SELECT substr(files_digest, 8) FROM versions WHERE files_digest <> ''`);
  }

  blobDigests(): Iterable<string> {
    return this.#digests("SELECT DISTINCT digest FROM blobs");
  }

  *#digests(sql: string): Iterable<string> {
    for (const row of this.#database.prepare(sql).iterate()) yield String(row["digest"]);
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}

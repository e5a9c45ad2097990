// The contract of the index of blobs. Reads are synchronous and answer from committed state; changes
// resolve once they are durable. The bytes are another store's (`files/blob-files.ts`).

import type { Cause, Told } from "./cause.ts";
import type { Condition } from "./condition.ts";

export type Blob = {
  readonly bucket: string;
  readonly key: string;
  /** SHA-256 of the bytes, in hexadecimal digits. */
  readonly digest: string;
  readonly bytes: number;
  readonly contentType: string;
  /** The user's own, by lower-case name. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Unix milliseconds. */
  readonly changedAtMs: number;
};

export type BlobPut = Omit<Blob, "changedAtMs">;

export interface BlobStore {
  get(bucket: string, key: string): Blob | null;
  /** Blobs whose keys have a prefix, in the order of their bytes, at most `limit` of them, beyond `after`. */
  list(bucket: string, options: { prefix: string; after: string | null; limit: number }): Blob[];
  /** Buckets by name. */
  buckets(): { readonly bucket: string; readonly blobs: number; readonly bytes: number }[];
  /** Whether any blob has these bytes. */
  isUsed(digest: string): boolean;

  // Each change rejects with `precondition_failed`, and with `queue_full` or `too_deep` where triggers
  // listen that cannot be told. `released` are the digests of bytes that had been of one of its blobs.

  /** All of them or none. */
  put(
    puts: readonly BlobPut[],
    condition: Condition<string>,
    cause: Cause,
  ): Promise<Told & { readonly created: boolean; readonly released: readonly string[] }>;
  /** Whether there was such a blob. */
  delete(
    bucket: string,
    key: string,
    condition: Condition<string>,
    cause: Cause,
  ): Promise<Told & { readonly found: boolean; readonly released: readonly string[] }>;
}

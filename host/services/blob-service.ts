// Blob buckets as functions and clients see them: names, keys and metadata checked, bytes and index
// brought together. Buckets are named as they are kept, namespace included. The operations of guests are in `blob-operations.ts`.

import type { FileHandle } from "node:fs/promises";
import { HostError } from "../errors.ts";
import type { EventQueue } from "../events/queue.ts";
import { keyText } from "../key.ts";
import { limits } from "../limits.ts";
import { plainName } from "../namespace.ts";
import type { Blob, BlobStore } from "../store/blob-store.ts";
import type { Condition } from "../store/condition.ts";
import type { BlobFiles, ReceivedBytes } from "../store/files/blob-files.ts";

export type BlobPage = { readonly blobs: readonly Blob[]; readonly cursor: string | null };

/** What is said of bytes on their way in. */
export type BlobLabels = {
  readonly contentType: string;
  readonly metadata: Readonly<Record<string, string>>;
};

export type NewBlob = BlobLabels & { readonly key: string; readonly received: ReceivedBytes };

export type BlobServiceParts = {
  readonly store: BlobStore;
  readonly files: BlobFiles;
  readonly queue: Pick<EventQueue, "telling">;
  readonly onFault: (error: unknown) => void;
};

/** How often a blob is looked up again whose bytes went while it was being opened. */
const openAttemptsMax = 10;

export class BlobService {
  readonly #parts: BlobServiceParts;

  constructor(parts: BlobServiceParts) {
    this.#parts = parts;
  }

  buckets(): ReturnType<BlobStore["buckets"]> {
    return this.#parts.store.buckets();
  }

  /** Throws `blob_not_found`. */
  get(bucket: string, key: string): Blob {
    const blob = this.#parts.store.get(bucket, keyText(key));
    if (blob === null)
      throw new HostError("blob_not_found", `No such blob in the bucket "${plainName(bucket)}"`);
    return blob;
  }

  /** The blob and its bytes, which stay what they are while the file is open. Throws `blob_not_found`. */
  async open(bucket: string, key: string): Promise<{ readonly blob: Blob; readonly file: FileHandle }> {
    for (let attempt = 1; ; attempt += 1) {
      const blob = this.get(bucket, key);
      const file = await this.#parts.files.open(blob.digest);
      if (file !== null) return { blob, file };
      if (attempt === openAttemptsMax) {
        throw new Error(`The bytes of ${bucket}/${key} are missing: ${blob.digest}`);
      }
    }
  }

  /** At most `limit` blobs with a prefix, beyond the key `cursor`; `cursor` of the page is null at the end. */
  list(bucket: string, prefix: string, cursor: string, limit: number = limits.blobListMax): BlobPage {
    const wanted = Math.min(limit, limits.blobListMax);
    const after = cursor === "" ? null : keyText(cursor);
    const found = this.#parts.store.list(bucket, { prefix, after, limit: wanted + 1 });
    const blobs = found.slice(0, wanted);
    return { blobs, cursor: found.length > wanted ? (blobs.at(-1)?.key ?? null) : null };
  }

  /** Takes bytes in as they come; they are no blob yet, and whoever calls puts or discards them. */
  receive(chunks: AsyncIterable<Uint8Array>, bytesMax: number = limits.blobBytesMax): Promise<ReceivedBytes> {
    return this.#parts.files.receive(within(chunks, bytesMax));
  }

  /** Makes blobs of bytes that have come: all of them or, when it rejects, none, and the bytes are gone. */
  async put(
    bucket: string,
    blobs: readonly NewBlob[],
    condition: Condition<string>,
    depth: number,
  ): Promise<{ readonly created: boolean }> {
    const { store, files, queue } = this.#parts;
    const received = blobs.map((blob) => blob.received);
    let released: readonly string[];
    let created: boolean;
    try {
      const puts = blobs.map(({ key, contentType, metadata, received: { digest, bytes } }) => {
        assertLabels({ contentType, metadata });
        return { bucket, key: keyText(key), digest, bytes, contentType, metadata };
      });
      ({ released, created } = await files.keep(received, () =>
        queue.telling((room) => store.put(puts, condition, { depth, room })),
      ));
    } catch (error) {
      await files.discard(received);
      throw error;
    }
    await this.#release(released);
    return { created };
  }

  discard(received: readonly ReceivedBytes[]): Promise<void> {
    return this.#parts.files.discard(received);
  }

  /** Whether there was such a blob. */
  async delete(bucket: string, key: string, condition: Condition<string>, depth: number): Promise<boolean> {
    const { store, queue } = this.#parts;
    const address = [bucket, keyText(key)] as const;
    const done = await queue.telling((room) => store.delete(...address, condition, { depth, room }));
    await this.#release(done.released);
    return done.found;
  }

  /** The change has taken place: a file that stays behind is removed by the next host. */
  async #release(digests: readonly string[]): Promise<void> {
    try {
      await this.#parts.files.release(digests);
    } catch (error) {
      this.#parts.onFault(error);
    }
  }
}

async function* within(chunks: AsyncIterable<Uint8Array>, bytesMax: number): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.byteLength;
    if (bytes > bytesMax) {
      throw new HostError("blob_too_large", `The blob has more than ${bytesMax} bytes, which is the limit`);
    }
    yield chunk;
  }
}

function assertLabels({ contentType, metadata }: BlobLabels): void {
  if (!/^[\x20-\x7e]{1,200}$/.test(contentType)) {
    throw new HostError("bad_request", "The content type is not 1 to 200 visible characters of ASCII");
  }
  let bytes = 0;
  for (const [name, value] of Object.entries(metadata)) {
    bytes += name.length + value.length;
    if (!/^[a-z0-9-]{1,64}$/.test(name) || !/^[\x20-\x7e]*$/.test(value)) {
      throw new HostError(
        "bad_request",
        `Cannot keep the metadata ${JSON.stringify(name.slice(0, 64))}: want a name of a-z, 0-9 and hyphens, and visible ASCII`,
      );
    }
  }
  if (bytes <= limits.blobMetadataBytesMax) return;
  throw new HostError(
    "bad_request",
    `The metadata has ${bytes} bytes, limit is ${limits.blobMetadataBytesMax}`,
  );
}

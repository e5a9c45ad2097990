// The bytes of blobs as files named by their digest. They are written to a temporary file as they come,
// synchronised, and renamed once all of them are there; what no blob has is removed, at the latest when
// the next host starts. A file is put in place and taken away under a lock of its digest, so that what
// one request releases another cannot lose.

import { createHash } from "node:crypto";
import { type FileHandle, mkdir, open, opendir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { HostError } from "../../errors.ts";
import type { HeldFiles } from "../held-files.ts";
import type { SyncPath } from "../sync.ts";
import { openIfThere } from "./open-if-there.ts";

/** Bytes that have come, not yet of any blob. Whoever has one keeps or discards it. */
export type ReceivedBytes = {
  /** SHA-256, in hexadecimal digits. */
  readonly digest: string;
  readonly bytes: number;
  readonly file: string;
};

const temporarySuffix = ".tmp";

export class BlobFiles {
  readonly #folder: string;
  readonly #sync: SyncPath;
  readonly #isUsed: (digest: string) => boolean;
  /** By digest: the end of what was last begun under its lock. */
  readonly #locks = new Map<string, Promise<unknown>>();
  #received = 0;
  #holds = 0;
  /** Digests whose files are to be looked at again when nobody holds them. */
  readonly #kept = new Set<string>();

  private constructor(folder: string, sync: SyncPath, isUsed: (digest: string) => boolean) {
    this.#folder = folder;
    this.#sync = sync;
    this.#isUsed = isUsed;
  }

  /** Removes what an earlier process left behind; `isUsed` tells whether any blob has a digest. */
  static async open(folder: string, sync: SyncPath, isUsed: (digest: string) => boolean): Promise<BlobFiles> {
    await mkdir(folder, { recursive: true });
    for await (const { name } of await opendir(folder)) {
      if (name.endsWith(temporarySuffix) || !isUsed(name)) await rm(join(folder, name), { force: true });
    }
    return new BlobFiles(folder, sync, isUsed);
  }

  /**
   * Writes bytes out as they come; a chunk is this one's own, and empty afterwards. Rejects with what `chunks`
   * throws, or `storage_full`; then nothing is left.
   */
  async receive(chunks: AsyncIterable<Uint8Array>): Promise<ReceivedBytes> {
    this.#received += 1;
    const file = join(this.#folder, `${process.pid}-${this.#received}${temporarySuffix}`);
    const hash = createHash("sha256");
    let bytes = 0;
    try {
      const handle = await open(file, "wx");
      try {
        for await (const chunk of chunks) {
          hash.update(chunk);
          bytes += chunk.byteLength;
          await writeWhole(handle, chunk);
          giveBack(chunk);
        }
      } finally {
        await handle.close();
      }
      await this.#sync(file);
      return { digest: hash.digest("hex"), bytes, file };
    } catch (error) {
      await rm(file, { force: true });
      throw asStorageFull(error);
    }
  }

  /** Puts the bytes in place for as long as `commit` runs, and for good if some blob has them afterwards. */
  async keep<value>(received: readonly ReceivedBytes[], commit: () => Promise<value>): Promise<value> {
    return this.#locked(
      received.map(({ digest }) => digest),
      async () => {
        try {
          for (const { file, digest } of received) await rename(file, this.#path(digest));
          await this.#sync(this.#folder);
          return await commit();
        } catch (error) {
          await this.discard(received);
          for (const { digest } of received) await this.#removeUnused(digest);
          throw asStorageFull(error);
        }
      },
    );
  }

  async discard(received: readonly ReceivedBytes[]): Promise<void> {
    await Promise.all(received.map(({ file }) => rm(file, { force: true })));
  }

  /** Removes the bytes of digests that no blob has any more. */
  async release(digests: readonly string[]): Promise<void> {
    for (const digest of digests) await this.#locked([digest], () => this.#removeUnused(digest));
  }

  /** Null when the bytes are not there: their blob was changed a moment ago. */
  async open(digest: string): Promise<FileHandle | null> {
    return openIfThere(this.#path(digest));
  }

  /** Until disposed of, no bytes are removed; what was to go meanwhile goes then. */
  hold(): HeldFiles {
    this.#holds += 1;
    return {
      nameOf: (digest) => digest,
      open: (digest) => this.open(digest),
      [Symbol.asyncDispose]: async () => {
        this.#holds -= 1;
        if (this.#holds > 0) return;
        const digests = [...this.#kept];
        this.#kept.clear();
        await this.release(digests);
      },
    };
  }

  async #removeUnused(digest: string): Promise<void> {
    if (this.#holds > 0) this.#kept.add(digest);
    else if (!this.#isUsed(digest)) await rm(this.#path(digest), { force: true });
  }

  /** Runs `work` when nothing else runs under any of the locks. */
  async #locked<value>(digests: readonly string[], work: () => Promise<value>): Promise<value> {
    const before = digests.map((digest) => this.#locks.get(digest));
    const { promise, resolve } = Promise.withResolvers<void>();
    // All in one turn of the event loop: no two can wait for each other.
    for (const digest of digests) this.#locks.set(digest, promise);
    try {
      await Promise.all(before);
      return await work();
    } finally {
      resolve();
      for (const digest of digests) {
        if (this.#locks.get(digest) === promise) this.#locks.delete(digest);
      }
    }
  }

  #path(digest: string): string {
    return join(this.#folder, digest);
  }
}

async function writeWhole(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.byteLength; ) {
    at += (await handle.write(chunk, at, chunk.byteLength - at)).bytesWritten;
  }
}

/** Frees the memory of a chunk now: V8 would let 64 MB of it come together before it looks. */
function giveBack({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}

function asStorageFull(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== "ENOSPC" && code !== "EDQUOT") return error;
  return new HostError("storage_full", "Cannot store the blob: the disk is full", { cause: error });
}

// Backups of a host that runs: the database as it was at one moment, and every file that it names then, as one
// tar archive, the manifest last. From before that moment until the end no such file is removed, so that a
// backup is whole whatever is deployed, written and deleted meanwhile. Called by the route; reads keys of no
// kind, so that whoever may make a backup cannot read secrets with it (docs/operating.md).

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { type FileHandle, mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { createTarPacker } from "modern-tar";
import { HostError } from "../errors.ts";
import { limits } from "../limits.ts";
import { packageVersion } from "../package-version.ts";
import type { FileArtifactStore } from "../store/files/artifact-store.ts";
import type { BlobFiles } from "../store/files/blob-files.ts";
import type { HeldFiles } from "../store/held-files.ts";
import { Snapshot, takeSnapshot } from "../store/sqlite/snapshot.ts";
import { type BackupEntry, databaseName, type Manifest, manifestName } from "./manifest.ts";

export type BackupParts = {
  readonly dataDir: string;
  /** The key that secrets are sealed with, where it is the data folder's own. */
  readonly secretKeyFile: string;
  readonly now: () => number;
  readonly artifacts: Pick<FileArtifactStore, "hold">;
  readonly blobFiles: Pick<BlobFiles, "hold">;
  /** Removes the modules that no version names. */
  readonly cleanUp: () => Promise<void>;
  readonly onFault: (error: unknown) => void;
};

type Packer = ReturnType<typeof createTarPacker>["controller"];

const chunkBytes = 256 * 1024;

/** Where the copy of the database lies while it is sent; what an ended process left is removed at a start. */
const workFolder = "backup";

export class Backups {
  readonly #parts: BackupParts;
  #running = false;

  private constructor(parts: BackupParts) {
    this.#parts = parts;
  }

  static async open(parts: BackupParts): Promise<Backups> {
    await rm(join(parts.dataDir, workFolder), { recursive: true, force: true });
    return new Backups(parts);
  }

  /** An archive, which breaks off where it fails. Throws `backup_running`, `storage_full`. */
  async begin(): Promise<ReadableStream<Uint8Array>> {
    if (this.#running) {
      throw new HostError("backup_running", "Cannot make a backup: another one is being made", {
        retryAfterS: 10,
      });
    }
    this.#running = true;
    const { dataDir, artifacts, blobFiles, cleanUp, onFault } = this.#parts;
    const folder = join(dataDir, workFolder);
    await using failed = new AsyncDisposableStack();
    failed.defer(() => {
      this.#running = false;
    });
    failed.defer(() => rm(folder, { recursive: true, force: true }));
    const modules = failed.use(artifacts.hold(cleanUp));
    const blobs = failed.use(blobFiles.hold());
    await mkdir(folder);
    const database = join(folder, databaseName);
    await takeSnapshot(join(dataDir, databaseName), database);
    const snapshot = failed.use(new Snapshot(database));
    const { readable, controller } = createTarPacker();
    const held = failed.move();
    void this.#pack(controller, { database, snapshot, modules, blobs })
      .catch((error: unknown) => {
        controller.error(error);
        if (!(error instanceof ReaderGone)) onFault(error);
      })
      .finally(() => held.disposeAsync().catch(onFault));
    return readable;
  }

  async #pack(packer: Packer, from: Sources): Promise<void> {
    const { now, secretKeyFile } = this.#parts;
    const createdAt = new Date(now());
    const files: BackupEntry[] = [];
    const damaged: string[] = [];
    const add = async (path: string, file: FileHandle | null, digest: string | null): Promise<void> => {
      if (file === null) return void damaged.push(path);
      const entry = await addFile(packer, path, file, createdAt);
      files.push(entry);
      if (digest !== null && entry.sha256 !== digest) damaged.push(path);
    };
    await add(databaseName, await open(from.database), null);
    for (const digest of from.snapshot.moduleDigests()) {
      await add(`modules/${from.modules.nameOf(digest)}`, await from.modules.open(digest), digest);
    }
    for (const digest of from.snapshot.blobDigests()) {
      await add(`blobs/${from.blobs.nameOf(digest)}`, await from.blobs.open(digest), digest);
    }
    const manifest: Manifest = {
      format: 1,
      version: packageVersion(),
      schema: from.snapshot.schema,
      createdAt: createdAt.toISOString(),
      needsSecretKey: existsSync(secretKeyFile),
      files,
      damaged,
    };
    const bytes = new TextEncoder().encode(`${JSON.stringify(manifest, null, 1)}\n`);
    await addBytes(packer, manifestName, bytes.byteLength, createdAt, [bytes]);
    packer.finalize();
  }
}

type Sources = {
  readonly database: string;
  readonly snapshot: Snapshot;
  readonly modules: HeldFiles;
  readonly blobs: HeldFiles;
};

/** The client is gone, or takes nothing any more. */
class ReaderGone extends Error {}

/** Closes the file. */
async function addFile(packer: Packer, path: string, file: FileHandle, mtime: Date): Promise<BackupEntry> {
  await using _file = file;
  const { size } = await file.stat();
  const hash = createHash("sha256");
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < size; ) {
      const buffer = new Uint8Array(Math.min(chunkBytes, size - at));
      const { bytesRead } = await file.read(buffer, 0, buffer.byteLength, at);
      if (bytesRead === 0) throw new Error(`${path} ended at ${at} of ${size} bytes while it was copied`);
      at += bytesRead;
      const chunk = buffer.subarray(0, bytesRead);
      hash.update(chunk);
      yield chunk;
    }
  }
  await addBytes(packer, path, size, mtime, chunks());
  return { path, bytes: size, sha256: hash.digest("hex") };
}

async function addBytes(
  packer: Packer,
  name: string,
  size: number,
  mtime: Date,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  const body = packer.add({ name, size, mtime, mode: 0o600, type: "file" }).getWriter();
  // What is wrong is thrown by the writes.
  body.closed.catch(() => {});
  for await (const chunk of chunks) await taken(body.write(chunk as Uint8Array<ArrayBuffer>));
  await taken(body.close());
}

/** Holds whoever reads to taking something within the time that any reader has. */
async function taken(written: Promise<void>): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error("it stands still")), limits.writeStallTimeoutMs);
  try {
    await Promise.race([written, late.promise]);
  } catch (cause) {
    // Nothing else is wrong with a write: what is written is as long as was said.
    throw new ReaderGone("The client takes nothing any more", { cause });
  } finally {
    clearTimeout(timer);
  }
}

// Module bytes as files named by their digest: written to a temporary file, synchronised, renamed,
// and the folder synchronised, so that a file under its final name is whole. Checked against the
// digest when read (docs/threat-model.md H15).

import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { HostError } from "../../errors.ts";
import type { ArtifactStore } from "../artifact-store.ts";
import type { HeldFiles } from "../held-files.ts";
import type { SyncPath } from "../sync.ts";
import { openIfThere } from "./open-if-there.ts";

const suffix = ".wasm";

/** `sha256:<hex>` of the bytes. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

export class FileArtifactStore implements ArtifactStore {
  readonly #folder: string;
  readonly #sync: SyncPath;
  #writes = 0;
  #holds = 0;

  private constructor(folder: string, sync: SyncPath) {
    this.#folder = folder;
    this.#sync = sync;
  }

  static async open(folder: string, sync: SyncPath): Promise<FileArtifactStore> {
    await mkdir(folder, { recursive: true });
    return new FileArtifactStore(folder, sync);
  }

  async put(digest: string, bytes: Uint8Array): Promise<void> {
    const path = this.#path(digest);
    this.#writes += 1;
    const temporary = `${path}.${process.pid}-${this.#writes}.tmp`;
    try {
      await writeFile(temporary, bytes, { flag: "wx" });
      await this.#sync(temporary);
      await rename(temporary, path);
      await this.#sync(this.#folder);
    } catch (error) {
      await rm(temporary, { force: true });
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
      throw new HostError("storage_full", "Cannot store the module: the disk is full", { cause: error });
    }
  }

  async read(digest: string): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = await readFile(this.#path(digest));
    const found = digestOf(bytes);
    if (found !== digest) throw new Error(`The stored module ${digest} is damaged: its bytes give ${found}`);
    return bytes;
  }

  async remove(digest: string): Promise<void> {
    if (this.#holds === 0) await rm(this.#path(digest), { force: true });
  }

  async retain(kept: ReadonlySet<string>): Promise<void> {
    if (this.#holds > 0) return;
    const names = new Set([...kept].map((digest) => fileName(digest)));
    for (const name of await readdir(this.#folder)) {
      if (!names.has(name)) await rm(join(this.#folder, name), { force: true });
    }
  }

  /** Until disposed of, no bytes are removed; `onFree` is to see then to what was to go meanwhile. */
  hold(onFree: () => Promise<void>): HeldFiles {
    this.#holds += 1;
    const nameOf = (hex: string): string => fileName(`sha256:${hex}`);
    return {
      nameOf,
      open: (hex) => openIfThere(join(this.#folder, nameOf(hex))),
      [Symbol.asyncDispose]: async () => {
        this.#holds -= 1;
        if (this.#holds === 0) await onFree();
      },
    };
  }

  #path(digest: string): string {
    return join(this.#folder, fileName(digest));
  }
}

function fileName(digest: string): string {
  return `${digest.replace(":", "-")}${suffix}`;
}

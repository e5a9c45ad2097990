// Derived forms of uploads, kept by the digest of what they were derived from. Each can be derived again: a
// file that is lost or damaged costs time, so nothing is synchronised and no fault is one of a request.

import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

const suffix = ".form";

export class PreparedFiles {
  readonly #folder: string;
  #writes = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Null when there is none. */
  async read(digest: string): Promise<Uint8Array<ArrayBuffer> | null> {
    return readFile(this.#path(digest)).catch(() => null);
  }

  async write(digest: string, bytes: Uint8Array): Promise<void> {
    const path = this.#path(digest);
    this.#writes += 1;
    const temporary = `${path}.${process.pid}-${this.#writes}.tmp`;
    try {
      await mkdir(this.#folder, { recursive: true });
      await writeFile(temporary, bytes, { flag: "wx" });
      await rename(temporary, path);
    } catch {
      // A full disk keeps it from being kept, and nothing else.
      await rm(temporary, { force: true });
    }
  }

  async remove(digest: string): Promise<void> {
    await rm(this.#path(digest), { force: true });
  }

  /** Removes those of digests that are not in `kept`, and what unfinished writes left behind. */
  async retain(kept: ReadonlySet<string>): Promise<void> {
    const names = new Set([...kept].map(fileName));
    for (const name of await readdir(this.#folder).catch(() => [])) {
      if (!names.has(name)) await rm(join(this.#folder, name), { force: true });
    }
  }

  #path(digest: string): string {
    return join(this.#folder, fileName(digest));
  }
}

function fileName(digest: string): string {
  return `${digest.replace(":", "-")}${suffix}`;
}

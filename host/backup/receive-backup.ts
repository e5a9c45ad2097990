// The client's end of a backup: the archive that a host sends becomes a folder. Every file is checked against the
// manifest, and that is put in place last, so that a folder with a manifest is whole.

import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { createTarDecoder } from "modern-tar";
import { makeFolder } from "../make-folder.ts";
import { syncDirectly } from "../store/sync.ts";
import {
  BackupFault,
  contentFolders,
  databaseName,
  isBackupPath,
  type Manifest,
  manifestName,
  readManifest,
} from "./manifest.ts";
import { writeDurably } from "./write-file.ts";

const manifestBytesMax = 512 * 1024 * 1024;
const folders = Object.keys(contentFolders);

type Written = ReadonlyMap<string, { readonly bytes: number; readonly sha256: string }>;

/** Writes into a new or empty folder. Throws BackupFault, and leaves nothing then. */
export async function receiveBackup(archive: Readable, folder: string): Promise<Manifest> {
  await makeEmpty(folder);
  try {
    const { text, written } = await unpack(archive, folder);
    const manifest = readManifest(text);
    assertWritten(manifest, written);
    const temporary = join(folder, `${manifestName}.tmp`);
    await writeDurably(temporary, [new TextEncoder().encode(text)]);
    for (const name of folders) await syncDirectly(join(folder, name));
    await rename(temporary, join(folder, manifestName));
    await syncDirectly(folder);
    return manifest;
  } catch (error) {
    for (const name of [...folders, databaseName, `${manifestName}.tmp`, manifestName]) {
      await rm(join(folder, name), { recursive: true, force: true });
    }
    throw error;
  }
}

async function makeEmpty(folder: string): Promise<void> {
  try {
    makeFolder(folder);
    const [found] = await readdir(folder);
    if (found !== undefined) throw new BackupFault(`the folder holds ${found} already; choose a new one`);
    for (const name of folders) await mkdir(join(folder, name), { mode: 0o700 });
  } catch (error) {
    if (error instanceof BackupFault) throw error;
    throw new BackupFault((error as Error).message, { cause: error });
  }
}

async function unpack(archive: Readable, folder: string): Promise<{ text: string; written: Written }> {
  const written = new Map<string, { bytes: number; sha256: string }>();
  let text: string | null = null;
  const source = Readable.toWeb(archive) as ReadableStream<Uint8Array>;
  try {
    for await (const { header, body } of source.pipeThrough(createTarDecoder({ strict: true }))) {
      if (text !== null) throw new BackupFault("the host sent something after the manifest");
      if (header.name === manifestName) {
        if (header.size > manifestBytesMax)
          throw new BackupFault("the host sent a manifest that is too large");
        text = await new Response(body).text();
      } else {
        if (!isBackupPath(header.name)) throw new BackupFault("the host sent a file that no backup has");
        written.set(header.name, await writeDurably(join(folder, header.name), body));
      }
    }
  } catch (error) {
    if (error instanceof BackupFault) throw error;
    throw new BackupFault(`the archive was cut off, or could not be written: ${(error as Error).message}`, {
      cause: error,
    });
  }
  if (text === null) throw new BackupFault("the archive was cut off: it has no manifest");
  return { text, written };
}

function assertWritten({ files }: Manifest, written: Written): void {
  for (const { path, bytes, sha256 } of files) {
    const found = written.get(path);
    if (found?.bytes !== bytes || found.sha256 !== sha256) {
      throw new BackupFault(`${path} did not arrive as the host sent it`);
    }
  }
  if (written.size !== files.length)
    throw new BackupFault("the host sent files that its manifest does not name");
}

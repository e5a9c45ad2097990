// `mayfly restore`: a backup becomes a data folder. Every file is copied beside its place and checked against
// the manifest, and the database against what it names; only then is anything put in place, the database last.
// A host does not start on a folder in which that was cut off, and a further restore begins anew.

import { existsSync } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { limits } from "../limits.ts";
import { makeFolder } from "../make-folder.ts";
import { lockDataFolder } from "../store/data-lock.ts";
import { schemaNewest } from "../store/sqlite/database.ts";
import { Snapshot } from "../store/sqlite/snapshot.ts";
import { syncDirectly } from "../store/sync.ts";
import {
  BackupFault,
  type ContentFolder,
  contentFolders,
  databaseName,
  type Manifest,
  manifestName,
  readManifest,
} from "./manifest.ts";
import { restoringName } from "./restoring.ts";
import { writeDurably } from "./write-file.ts";

const folders = Object.keys(contentFolders) as ContentFolder[];
/** What a data folder may hold and still be empty: the mark of a file system, and the lock itself. */
const noContent = new Set(["lost+found", "lock", "lock-journal"]);

/** Throws BackupFault for a backup that is not whole, and for a data folder that is not empty or in use. */
export async function restoreBackup(backup: string, dataDir: string): Promise<Manifest> {
  const manifest = await manifestOf(backup);
  if (manifest.schema > schemaNewest) {
    throw new BackupFault(
      `it was made by a newer Mayfly, ${manifest.version}: schema ${manifest.schema}, this one knows ${schemaNewest}`,
    );
  }
  using _lock = await lockEmpty(dataDir);
  const staged = join(dataDir, restoringName);
  await mkdir(staged, { mode: 0o700 });
  try {
    for (const name of folders) await mkdir(join(staged, name), { mode: 0o700 });
    for (const entry of manifest.files) await copy(backup, staged, entry);
    assertWhole(join(staged, databaseName), manifest);
  } catch (error) {
    await rm(staged, { recursive: true, force: true });
    throw error;
  }
  for (const name of folders) await syncDirectly(join(staged, name));
  for (const name of [...folders, databaseName]) await rename(join(staged, name), join(dataDir, name));
  await syncDirectly(dataDir);
  await rm(staged, { recursive: true });
  await syncDirectly(dataDir);
  return manifest;
}

async function manifestOf(backup: string): Promise<Manifest> {
  let text: string;
  try {
    text = await readFile(join(backup, manifestName), "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") {
      throw new BackupFault((cause as Error).message, { cause });
    }
    throw new BackupFault(`it has no ${manifestName}: it is no backup, or one that was cut off`, { cause });
  }
  return readManifest(text);
}

/** The lock of a data folder that holds nothing, or what a restore left that was cut off, which is removed. */
async function lockEmpty(dataDir: string): Promise<Disposable> {
  try {
    makeFolder(dataDir);
    const isCutOff = existsSync(join(dataDir, restoringName));
    const contentOf = async (): Promise<string[]> =>
      (await readdir(dataDir)).filter((name) => !noContent.has(name));
    const [before] = await contentOf();
    const isEmpty = before === undefined || isCutOff;
    if (!isEmpty && !existsSync(join(dataDir, "lock"))) throw notEmpty(dataDir, before);
    const lock = lockDataFolder(join(dataDir, "lock"), limits.dataLockTimeoutMs);
    if (lock === null) throw new BackupFault(`a host has the folder ${dataDir}; stop it, or choose another`);
    if (!isEmpty) {
      lock[Symbol.dispose]();
      throw notEmpty(dataDir, before);
    }
    // The mark of a cut-off restore last: until then nothing else may take the rest for a host's.
    for (const name of await contentOf()) {
      if (name !== restoringName) await rm(join(dataDir, name), { recursive: true });
    }
    await rm(join(dataDir, restoringName), { recursive: true, force: true });
    return lock;
  } catch (error) {
    if (error instanceof BackupFault) throw error;
    throw new BackupFault((error as Error).message, { cause: error });
  }
}

function notEmpty(dataDir: string, found: string): BackupFault {
  return new BackupFault(`the folder ${dataDir} is not empty: it holds ${found}; choose a new one`);
}

async function copy(backup: string, staged: string, entry: Manifest["files"][number]): Promise<void> {
  const { path, bytes, sha256 } = entry;
  let found: { bytes: number; sha256: string };
  try {
    await using source = await open(join(backup, path), "r");
    found = await writeDurably(join(staged, path), source.createReadStream({ autoClose: false }));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") throw new BackupFault(`${path} is missing`);
    throw new BackupFault(`${path} cannot be copied: ${(error as Error).message}`, { cause: error });
  }
  if (found.bytes !== bytes) throw new BackupFault(`${path} has ${found.bytes} bytes, want ${bytes}`);
  if (found.sha256 !== sha256) throw new BackupFault(`${path} is not what was backed up: its digest differs`);
}

/** Holds the database to its schema, its structure, and the files that it names. */
function assertWhole(database: string, manifest: Manifest): void {
  using snapshot = new Snapshot(database);
  if (snapshot.schema !== manifest.schema) {
    throw new BackupFault(`its database has schema ${snapshot.schema}, its manifest says ${manifest.schema}`);
  }
  const fault = snapshot.fault();
  if (fault !== null) throw new BackupFault(`its database is damaged: ${fault}`);
  const known = new Set([...manifest.files.map(({ path }) => path), ...manifest.damaged]);
  const named = { modules: snapshot.moduleDigests(), blobs: snapshot.blobDigests() };
  for (const folder of folders) {
    for (const digest of named[folder]) {
      const path = `${folder}/${folder === "modules" ? `sha256-${digest}.wasm` : digest}`;
      if (!known.has(path)) throw new BackupFault(`its database names ${path}, its manifest does not`);
    }
  }
}

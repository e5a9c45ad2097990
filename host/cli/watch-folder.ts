// Watches the sources under a folder and tells when one of them changed. Called by `dev`. It
// watches folders, not files, so that an editor which writes a new file and renames it over the
// old one is seen; and it compares what is there, so that a touch of anything else is not.

import { type FSWatcher, watch } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { extname, join } from "node:path";

export type FolderWatch = {
  readonly close: () => void;
  /** Folders beyond the limit are not watched. */
  readonly truncated: boolean;
};

const foldersMax = 1_000;
const filesMax = 20_000;
const debounceMs = 50;
/** Where the system gives no watchers (none left, or a file system without them). */
const pollMs = 500;
const sourceExtensions = new Set([".ts", ".json"]);

type Sources = { readonly folders: readonly string[]; readonly print: string; readonly truncated: boolean };

/** Calls `onChange` once per burst of changes, debounced, until closed. */
export async function watchFolder(root: string, onChange: () => void): Promise<FolderWatch> {
  const watchers = new Map<string, FSWatcher>();
  let timer: NodeJS.Timeout | undefined;
  let poll: NodeJS.Timeout | undefined;
  let closed = false;
  let lastPrint = "";

  const scheduleCheck = (): void => {
    clearTimeout(timer);
    if (!closed) timer = setTimeout(() => void check(), debounceMs);
  };
  const startPolling = (): void => {
    if (!closed) poll ??= setInterval(() => void check(), pollMs);
  };
  const drop = (folder: string): void => {
    watchers.get(folder)?.close();
    watchers.delete(folder);
  };
  const watchFolders = (folders: readonly string[]): void => {
    for (const folder of watchers.keys()) if (!folders.includes(folder)) drop(folder);
    for (const folder of folders) {
      if (watchers.has(folder) || closed) continue;
      try {
        const watcher = watch(folder, scheduleCheck);
        watcher.on("error", () => {
          drop(folder);
          scheduleCheck();
        });
        watchers.set(folder, watcher);
      } catch {
        startPolling();
      }
    }
  };
  const check = async (): Promise<void> => {
    const sources = await readSources(root);
    if (closed) return;
    watchFolders(sources.folders);
    if (sources.print === lastPrint) return;
    lastPrint = sources.print;
    onChange();
  };

  const first = await readSources(root);
  lastPrint = first.print;
  watchFolders(first.folders);
  // What changed between the reading and the watching.
  scheduleCheck();
  return {
    truncated: first.truncated,
    close() {
      closed = true;
      clearTimeout(timer);
      clearInterval(poll);
      for (const folder of [...watchers.keys()]) drop(folder);
    },
  };
}

/** Folders nearest first, and a print of every source: path, size, time of change and identity. */
async function readSources(root: string): Promise<Sources> {
  const folders = [root];
  const prints: string[] = [];
  let truncated = false;
  for (const folder of folders) {
    for (const entry of await entriesOf(folder)) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (entry.name === "node_modules" || entry.name.startsWith(".")) continue;
        if (folders.length < foldersMax) folders.push(path);
        else truncated = true;
      } else if (sourceExtensions.has(extname(entry.name)) && !entry.name.startsWith(".")) {
        if (prints.length < filesMax) prints.push(await printOf(path));
        else truncated = true;
      }
    }
  }
  return { folders, print: prints.sort().join("\n"), truncated };
}

async function entriesOf(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch {
    // Removed since it was listed, or not ours to read: nothing to watch in it.
    return [];
  }
}

async function printOf(path: string): Promise<string> {
  try {
    const { size, mtimeNs, ino } = await stat(path, { bigint: true });
    return `${path} ${size} ${mtimeNs} ${ino}`;
  } catch {
    // Between an editor's removal and its rename; the rename comes as an event of its own.
    return `${path} gone`;
  }
}

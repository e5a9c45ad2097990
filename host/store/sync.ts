// Making a file or a folder durable. A process under Node's permission model may not call fsync, so
// the host under its supervisor asks that one to (`supervisor-protocol.ts`); in process it is direct.

import { open } from "node:fs/promises";

/** Resolves once the file's content, or the folder's entries, are on stable storage (fsync, POSIX). */
export type SyncPath = (path: string) => Promise<void>;

export const syncDirectly: SyncPath = async (path) => {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
};

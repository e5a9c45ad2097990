// The lock on the data folder: an exclusive SQLite transaction on a file of its own, which the kernel
// drops when the process dies, however it dies. Node has no flock.

import { DatabaseSync } from "node:sqlite";

/** Holds the folder until closed. Waits up to `timeoutMs`, blocking; null when another host has it. */
export function lockDataFolder(file: string, timeoutMs: number): Disposable | null {
  const database = new DatabaseSync(file, { timeout: timeoutMs });
  try {
    database.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === 5) return null;
    throw error;
  }
  return { [Symbol.dispose]: () => database.close() };
}

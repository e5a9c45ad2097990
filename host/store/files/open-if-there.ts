// A file to read that may have gone.

import { type FileHandle, open } from "node:fs/promises";

/** Null when there is none. */
export async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

// Makes a folder with those above it, one by one from below. Node's own recursive form never returns
// for a path under a file system that takes no folders, such as /proc.

import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

/** Makes `folder` unless it is there; throws what the system says (EACCES, ENOTDIR, ENOENT …). */
export function makeFolder(folder: string): void {
  try {
    mkdirSync(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST" && statSync(folder).isDirectory()) return;
    const parent = dirname(folder);
    if (code !== "ENOENT" || parent === folder) throw error;
    makeFolder(parent);
    makeOnce(folder);
  }
}

/** Its parent is there: what the system says now holds. */
function makeOnce(folder: string): void {
  try {
    mkdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

// A key of the host's own in a file of the data folder, made when it is first wanted: whoever removes the
// file makes all that was signed or sealed with it worthless.

import { randomBytes } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";

const keyBytes = 32;

/** 32 random bytes, the same until the file is removed. Throws when the file is not as it was written. */
export function readOrMakeKey(file: string): Buffer {
  try {
    const key = readFileSync(file);
    if (key.byteLength !== keyBytes) throw new Error(`${file} has ${key.byteLength} bytes, want ${keyBytes}`);
    return key;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  const key = randomBytes(keyBytes);
  writeFileSync(`${file}.tmp`, key, { mode: 0o600, flush: false });
  renameSync(`${file}.tmp`, file);
  return key;
}

// A key of the host's own in a file of the data folder, made when it is first wanted: whoever removes the
// file makes all that was signed or sealed with it worthless.

import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { parseSecretKey, type SecretKeySource } from "../../secret-box.ts";
import type { SyncPath } from "../sync.ts";

const keyBytes = 32;

/** The key that secrets are sealed with: the one that is given, else one of the data folder's own. */
export function secretKeySource(file: string, given: string | null, sync: SyncPath): SecretKeySource {
  let key = given === null ? null : parseSecretKey(given);
  const read = (): Buffer | null => {
    if (key === null && existsSync(file)) key = readOrMakeKey(file);
    return key;
  };
  const make = async (): Promise<Buffer> => {
    const known = read();
    if (known !== null) return known;
    const made = readOrMakeKey(file);
    // Before anything is sealed with it that outlives a power failure.
    await sync(file);
    await sync(dirname(file));
    key = made;
    return made;
  };
  return { read, make };
}

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

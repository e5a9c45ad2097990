// The error numbers of WASI preview 1, as far as the host answers them, and those of the file system's words.

import type { FileError } from "../../filesystem/file-system.ts";

export const errno = {
  success: 0,
  again: 6,
  badf: 8,
  exist: 20,
  fbig: 22,
  ilseq: 25,
  inval: 28,
  isdir: 31,
  mfile: 33,
  nametoolong: 37,
  noent: 44,
  nospc: 51,
  notdir: 54,
  notempty: 55,
  notsup: 58,
  rofs: 69,
  spipe: 70,
  notcapable: 76,
} as const;

const ofFileError: Readonly<Record<FileError, number>> = {
  exist: errno.exist,
  "file-too-large": errno.fbig,
  "illegal-byte-sequence": errno.ilseq,
  "insufficient-space": errno.nospc,
  invalid: errno.inval,
  "is-directory": errno.isdir,
  "name-too-long": errno.nametoolong,
  "no-entry": errno.noent,
  "not-directory": errno.notdir,
  "not-empty": errno.notempty,
  "not-permitted": errno.notcapable,
  "read-only": errno.rofs,
  unsupported: errno.notsup,
};

export function errnoOf(error: FileError | null): number {
  return error === null ? errno.success : ofFileError[error];
}

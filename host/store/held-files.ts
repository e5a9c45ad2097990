// Files named by their digest, while somebody copies them: nothing of them is removed meanwhile, whatever else
// happens to what they belong to.

import type { FileHandle } from "node:fs/promises";

export type HeldFiles = AsyncDisposable & {
  /** The name of a digest's file in its folder. */
  readonly nameOf: (digest: string) => string;
  /** Null when it is not there. */
  readonly open: (digest: string) => Promise<FileHandle | null>;
};

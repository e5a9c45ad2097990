// What a backup is: files, and a manifest that is written last and names each of them with its size and its
// SHA-256. Without one, or with another file than it says, a folder is no backup.

import { z } from "zod";

export const manifestName = "manifest.json";
export const databaseName = "mayfly.db";

/** Folders of files that are named by the SHA-256 of their bytes, and how. */
export const contentFolders = {
  modules: /^sha256-([0-9a-f]{64})\.wasm$/,
  blobs: /^([0-9a-f]{64})$/,
} as const;

export type ContentFolder = keyof typeof contentFolders;

const entrySchema = z.strictObject({
  path: z.string().refine(isBackupPath, "no path of a backup"),
  bytes: z.int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

const manifestSchema = z.strictObject({
  format: z.literal(1),
  /** Of Mayfly, and of the database. */
  version: z.string(),
  schema: z.int().min(1),
  createdAt: z.iso.datetime(),
  /** Secrets in it are sealed with the data folder's own key, which is not part of the backup. */
  needsSecretKey: z.boolean(),
  files: z.array(entrySchema),
  /** Of the data folder, not as their digest says, or not there: damaged before the backup was made. */
  damaged: z.array(z.string()),
});

export type BackupEntry = z.infer<typeof entrySchema>;
export type Manifest = z.infer<typeof manifestSchema>;

/** Something is wrong with a backup, or with where it goes; the message is for the user. */
export class BackupFault extends Error {}

/** Throws BackupFault for a manifest that was cut off or changed. */
export function readManifest(text: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new BackupFault(`its ${manifestName} is cut off or damaged`, { cause });
  }
  const { success, data, error } = manifestSchema.safeParse(value);
  if (!success) {
    const [issue] = error.issues;
    throw new BackupFault(
      `its ${manifestName} is none that this Mayfly reads: ${issue?.path.join(".")}: ${issue?.message}`,
    );
  }
  const paths = new Set(data.files.map(({ path }) => path));
  if (paths.size < data.files.length) throw new BackupFault(`its ${manifestName} names a file twice`);
  if (!paths.has(databaseName)) throw new BackupFault(`its ${manifestName} names no ${databaseName}`);
  return data;
}

/** The digest that a path of a backup promises; null where it promises none. */
export function promisedDigest(path: string): string | null {
  const [folder = "", name = ""] = path.split("/");
  if (!(folder in contentFolders)) return null;
  return contentFolders[folder as ContentFolder].exec(name)?.[1] ?? null;
}

/** Whether a path is one of those that a backup has: what is written goes to no other. */
export function isBackupPath(path: string): boolean {
  return path === databaseName || (path.split("/").length === 2 && promisedDigest(path) !== null);
}

// Packs a folder for `mayfly deploy --files`: files and folders, in the form in which a host stores them. Whatever
// a host would refuse is refused here, before anything is sent.

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { HostError } from "../errors.ts";
import { encodeTree, FileTree } from "../files/file-tree.ts";
import { CommandFailure } from "./failure.ts";
import { fileFailure } from "./function-source.ts";

/** The packed folder; throws CommandFailure for one that cannot be read or carried. */
export async function packFolder(folder: string, shown: string): Promise<Uint8Array<ArrayBuffer>> {
  const tree = new FileTree();
  try {
    await addFolder(tree, folder, "");
  } catch (error) {
    if (error instanceof HostError) throw new CommandFailure(error.code, error.message, { cause: error });
    if (error instanceof CommandFailure) throw error;
    throw fileFailure("read", shown, error);
  }
  return encodeTree(tree.entries());
}

async function addFolder(tree: FileTree, folder: string, prefix: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true });
  if (prefix !== "") tree.addDirectory(prefix);
  for (const entry of entries) {
    const path = prefix + entry.name;
    if (entry.isDirectory()) await addFolder(tree, join(folder, entry.name), `${path}/`);
    else if (entry.isFile()) tree.addFile(path, await readFile(join(folder, entry.name)));
    else {
      throw new CommandFailure(
        "invalid_files",
        `Cannot carry ${JSON.stringify(path)}: it is a link or a device, want files and folders`,
      );
    }
  }
}

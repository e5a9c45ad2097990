// Packs a folder for `mayfly deploy --files`: files and folders, in the form in which a host stores them. Whatever
// a host would refuse is refused here, before anything is sent, and a file that is too large before it is read.

import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { HostError } from "../errors.ts";
import { encodeTree, FileTree } from "../files/file-tree.ts";
import { limits } from "../limits.ts";
import { CommandFailure } from "./failure.ts";
import { fileFailure } from "./function-source.ts";
import { formatBytes } from "./output.ts";

/** The packed folder; throws CommandFailure for one that cannot be read or carried. */
export async function packFolder(folder: string, shown: string): Promise<Uint8Array<ArrayBuffer>> {
  const tree = new FileTree();
  try {
    if (!(await stat(folder)).isDirectory()) {
      throw new CommandFailure(
        "file_failed",
        `Cannot read ${JSON.stringify(shown)}: it is a file, want a folder with the files to carry`,
      );
    }
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
    else if (entry.isFile()) await addFile(tree, join(folder, entry.name), path);
    else {
      throw new CommandFailure(
        "invalid_files",
        `Cannot carry ${JSON.stringify(path)}: it is a link or a device; put a copy of what it leads to in its place, or leave it out`,
      );
    }
  }
}

async function addFile(tree: FileTree, file: string, path: string): Promise<void> {
  const { size } = await stat(file);
  if (tree.bytes + size > limits.filesBytesMax) {
    const together = tree.bytes === 0 ? "it has" : "with it the files have";
    throw new CommandFailure(
      "files_too_large",
      `Cannot carry ${JSON.stringify(path)}: ${together} ${formatBytes(tree.bytes + size)}, a version carries ${formatBytes(limits.filesBytesMax)} at most; leave it out, or keep large files in a blob bucket`,
    );
  }
  tree.addFile(path, await readFile(file));
}

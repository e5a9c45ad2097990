// From an uploaded archive, whatever its form, to the stored form of a tree. Inflating happens off the thread.

import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { limits } from "../limits.ts";
import { decodeTree, encodeTree, FileTree, invalidFiles, tooLargeFiles, treeMagic } from "./file-tree.ts";
import { isTar, readTar } from "./tar.ts";
import { isZip, readZip } from "./zip.ts";

const unzip = promisify(gunzip);

/** What headers and padding of a tar archive may add to its files. */
const tarBytesMax = limits.filesBytesMax + 3 * 512 * limits.filesMax + 1024 * 1024;

/** The stored form of what an archive holds; rejects with `invalid_files` or `files_too_large`. */
export async function readArchive(archive: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const tree = new FileTree();
  if (Buffer.compare(archive.subarray(0, treeMagic.byteLength), treeMagic) === 0) {
    for (const { path, bytes } of decodeTree(archive)) {
      if (bytes === null) tree.addDirectory(path);
      else tree.addFile(path, bytes);
    }
  } else if (isZip(archive)) await readZip(archive, tree);
  else {
    const tar = archive[0] === 0x1f && archive[1] === 0x8b ? await unzipped(archive) : archive;
    if (!isTar(tar)) throw invalidFiles("", "they are no archive, want tar, tar.gz or zip");
    readTar(tar, tree);
  }
  return encodeTree(tree.entries());
}

async function unzipped(archive: Uint8Array): Promise<Uint8Array> {
  try {
    return await unzip(archive, { maxOutputLength: tarBytesMax });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") {
      throw tooLargeFiles(`they have more than ${limits.filesBytesMax} bytes`);
    }
    throw invalidFiles("", "the archive is damaged or cut short");
  }
}

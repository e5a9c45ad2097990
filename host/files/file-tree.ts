// The files that a version carries: a list of paths and bytes that is checked as it is made, and the one form in
// which it is stored, so that the same files have the same digest however they were packed. Used by whoever
// reads an archive, by the command line, which packs a folder, and by the threads, which read it.

import { HostError } from "../errors.ts";
import { limits } from "../limits.ts";
import { printable } from "../printable.ts";

/** `bytes` null is an empty directory. */
export type TreeEntry = { readonly path: string; readonly bytes: Uint8Array | null };

const nameBytesMax = 255;
const depthMax = 64;
/** Programs find files of their own there. */
const scratchName = "tmp";

/** Refuses a tree of files for what one entry is; `entry` "" when it is none in particular. */
export function invalidFiles(entry: string, reason: string): HostError {
  const shown = printable(entry.length > 200 ? `${entry.slice(0, 200)}...` : entry);
  const which = entry === "" ? "" : `entry ${JSON.stringify(shown)}: `;
  return new HostError("invalid_files", `Cannot use these files: ${which}${reason}`, {
    extra: { entry: shown },
  });
}

export function tooLargeFiles(reason: string): HostError {
  return new HostError("files_too_large", `Cannot use these files: ${reason}`);
}

/** Gathers entries; each is checked before anything is done with its bytes. */
export class FileTree {
  readonly #files = new Map<string, Uint8Array>();
  /** Directories, and whether an entry has named each. */
  readonly #directories = new Map<string, boolean>();
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** Throws where an entry that says it has so many bytes may not be added. */
  expect(entries: number, bytes: number): void {
    if (this.#files.size + entries > limits.filesMax) {
      throw tooLargeFiles(`there are more than ${limits.filesMax} entries`);
    }
    if (this.#bytes + bytes > limits.filesBytesMax) {
      throw tooLargeFiles(`they have more than ${limits.filesBytesMax} bytes`);
    }
  }

  addFile(entry: string, bytes: Uint8Array): void {
    this.expect(1, bytes.byteLength);
    const path = this.#free(entry);
    if (path === "") throw invalidFiles(entry, "a file has no name");
    this.#addParents(path, entry);
    this.#files.set(path, bytes);
    this.#bytes += bytes.byteLength;
  }

  addDirectory(entry: string): void {
    // The root itself.
    if (/^(?:\.\/?)?$/.test(entry)) return;
    if (this.#directories.size >= limits.filesMax) {
      throw tooLargeFiles(`there are more than ${limits.filesMax} folders`);
    }
    const path = this.#free(entry.replace(/\/$/, ""), entry);
    this.#addParents(path, entry);
    this.#directories.set(path, true);
  }

  /** By path, in the order of their characters; of directories those that nothing is in. */
  entries(): TreeEntry[] {
    const parents = new Set([...this.#files.keys(), ...this.#directories.keys()].map(parentOf));
    const empty = [...this.#directories.keys()].filter((path) => !parents.has(path));
    return [
      ...[...this.#files].map(([path, bytes]): TreeEntry => ({ path, bytes })),
      ...empty.map((path): TreeEntry => ({ path, bytes: null })),
    ].sort((one, other) => (one.path < other.path ? -1 : 1));
  }

  /** The path of an entry that nothing else has. */
  #free(text: string, entry = text): string {
    const path = checkedPath(text, entry);
    if (this.#files.has(path)) throw invalidFiles(entry, "there are two of that path");
    if (this.#directories.get(path) === true) throw invalidFiles(entry, "there are two of that path");
    return path;
  }

  #addParents(path: string, entry: string): void {
    if (this.#files.has(path) || (this.#directories.has(path) && !entry.endsWith("/"))) {
      throw invalidFiles(entry, "it is a file, and a folder as well");
    }
    for (let parent = parentOf(path); parent !== ""; parent = parentOf(parent)) {
      if (this.#files.has(parent)) throw invalidFiles(entry, `it lies in ${JSON.stringify(parent)}, a file`);
      if (this.#directories.has(parent)) return;
      this.#directories.set(parent, false);
      if (this.#directories.size > limits.filesMax) {
        throw tooLargeFiles(`there are more than ${limits.filesMax} folders`);
      }
    }
  }
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

/** An entry's path without "./" before it; throws for one that could lead anywhere else. */
function checkedPath(text: string, entry: string): string {
  const path = text.replace(/^(?:\.\/)+/, "");
  if (path.startsWith("/")) throw invalidFiles(entry, "its path is absolute, want one from the root down");
  const why = "its path has a part that";
  for (const part of path.split("/")) {
    if (part === "..") throw invalidFiles(entry, `${why} leads upwards`);
    if (part === "" || part === ".") throw invalidFiles(entry, `${why} is empty`);
    if (Buffer.byteLength(part) > nameBytesMax) {
      throw invalidFiles(entry, `${why} has more than ${nameBytesMax} bytes`);
    }
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for.
  if (/[\u0000-\u001f\u007f\\]/.test(path)) {
    throw invalidFiles(entry, "its path has a backslash or a control character");
  }
  if (!path.isWellFormed()) throw invalidFiles(entry, "its path is no Unicode");
  if (Buffer.byteLength(path) > limits.filePathBytesMax) {
    throw invalidFiles(entry, `its path has more than ${limits.filePathBytesMax} bytes`);
  }
  if (path.split("/").length > depthMax) throw invalidFiles(entry, `it lies more than ${depthMax} deep`);
  if (path === scratchName || path.startsWith(`${scratchName}/`)) {
    throw invalidFiles(entry, `"/${scratchName}" is for what the program writes itself`);
  }
  return path;
}

/** Begins what is stored: no archive begins so. */
export const treeMagic = Buffer.from("\0mayfly files 1\n");
const directoryMark = 0xffff_ffff;

/** The stored form: the magic bytes, how many entries, for each its path and size, then their bytes. */
export function encodeTree(entries: readonly TreeEntry[]): Uint8Array<ArrayBuffer> {
  const paths = entries.map(({ path }) => Buffer.from(path));
  const headBytes = paths.reduce((sum, { byteLength }) => sum + 8 + byteLength, treeMagic.byteLength + 4);
  const size = entries.reduce((sum, { bytes }) => sum + (bytes?.byteLength ?? 0), headBytes);
  const out = Buffer.alloc(size);
  let at = treeMagic.copy(out);
  at = out.writeUInt32LE(entries.length, at);
  for (const [index, path] of paths.entries()) {
    at = out.writeUInt32LE(path.byteLength, at);
    at += path.copy(out, at);
    at = out.writeUInt32LE(entries[index]?.bytes?.byteLength ?? directoryMark, at);
  }
  for (const { bytes } of entries) {
    if (bytes === null) continue;
    out.set(bytes, at);
    at += bytes.byteLength;
  }
  return out;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads the stored form; throws `invalid_files` where it breaks off. The bytes lie in those given. */
export function decodeTree(bytes: Uint8Array): TreeEntry[] {
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = treeMagic.byteLength;
  const take = (length: number): number => {
    if (at + length > bytes.byteLength) throw invalidFiles("", "they are cut short");
    at += length;
    return at - length;
  };
  const number = (): number => data.getUint32(take(4), true);
  const heads: { readonly path: string; readonly size: number }[] = [];
  const count = number();
  if (count > 2 * limits.filesMax) throw tooLargeFiles(`there are more than ${limits.filesMax} entries`);
  for (let index = 0; index < count; index += 1) {
    const length = number();
    // Decoders do not read shared memory.
    const name = Uint8Array.from(bytes.subarray(take(length), at));
    heads.push({ path: text(name), size: number() });
  }
  const entries = heads.map(({ path, size }): TreeEntry => {
    if (size === directoryMark) return { path, bytes: null };
    const start = take(size);
    return { path, bytes: bytes.subarray(start, at) };
  });
  if (at !== bytes.byteLength) throw invalidFiles("", "bytes are left over");
  return entries;
}

/** A path of an archive: UTF-8, or refused. */
export function text(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw invalidFiles(Buffer.from(bytes).toString("latin1"), "its path is not UTF-8");
  }
}

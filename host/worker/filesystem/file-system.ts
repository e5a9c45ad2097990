// The file system of one call: the version's tree under "/", which cannot be written, and "/tmp", which can, is
// in memory, and is gone with the call. Paths start at a directory that the guest has; none leads above it.
// There are no links. Failures are named by the words of wasi:filesystem, whatever ABI the guest speaks.

import { limits } from "../../limits.ts";
import { Directory, File, type Node } from "./nodes.ts";

export type FileError =
  | "exist"
  | "file-too-large"
  | "illegal-byte-sequence"
  | "insufficient-space"
  | "invalid"
  | "is-directory"
  | "name-too-long"
  | "no-entry"
  | "not-directory"
  | "not-empty"
  | "not-permitted"
  | "read-only"
  | "unsupported";

export type OpenOptions = {
  readonly create: boolean;
  readonly exclusive: boolean;
  readonly truncate: boolean;
  /** Only a directory will do. */
  readonly directory: boolean;
  readonly write: boolean;
};

/** Where a path leads: `node` undefined where nothing is, `name` "" for the directory the path began at. */
type Place = {
  readonly parent: Directory;
  readonly name: string;
  readonly node: Node | undefined;
  /** Whether the path says that it is one. */
  readonly directory: boolean;
};

const scratchName = "tmp";
const nameBytesMax = 255;
const pathBytesMax = 4_096;
/** What a file or directory takes beside its bytes. */
const nodeBytes = 512;
/** Ids of the call's own files begin here: the tree's are fewer. */
const firstOwnId = 1_000_000;

export function isFileError(found: Node | FileError | null): found is FileError {
  return typeof found === "string";
}

export class FileSystem {
  readonly root: Directory;
  readonly scratch: Directory;
  /** Counts bytes that are held from now on, or less when negative; false when there is no room. */
  readonly #hold: (bytes: number) => boolean;
  readonly #now: () => number;
  #nextId = firstOwnId;
  #bytes = 0;
  #nodes = 0;

  constructor(tree: Directory, hold: (bytes: number) => boolean, now: () => number) {
    this.root = tree;
    this.#hold = hold;
    this.#now = now;
    this.scratch = new Directory(this.#nextId, true, now());
  }

  child(directory: Directory, name: string): Node | undefined {
    if (directory === this.root && name === scratchName) return this.scratch;
    return directory.get(name);
  }

  /** Names and nodes with their places, from a place on. */
  *entries(directory: Directory, from: number): Generator<readonly [string, Node, number]> {
    for (const [name, node] of directory.entries()) if (node.place >= from) yield [name, node, node.place];
    // After all others: the root never changes.
    if (directory === this.root && from <= directory.size) yield [scratchName, this.scratch, directory.size];
  }

  find(from: Directory, path: string): Node | FileError {
    const place = this.#resolve(from, path);
    if (typeof place === "string") return place;
    const { node } = place;
    if (node === undefined) return "no-entry";
    return place.directory && node.kind !== "directory" ? "not-directory" : node;
  }

  open(from: Directory, path: string, options: OpenOptions): Node | FileError {
    const place = this.#resolve(from, path);
    if (typeof place === "string") return place;
    const { parent, name } = place;
    let { node } = place;
    if (node === undefined) {
      if (!options.create) return "no-entry";
      if (options.directory || place.directory) return "invalid";
      if (!parent.writable) return "read-only";
      const error = this.#roomForNode();
      if (error !== null) return error;
      node = new File(++this.#nextId, new Uint8Array(0), true, this.#now());
      this.#put(parent, name, node);
      return node;
    }
    if (options.create && options.exclusive) return "exist";
    if (node.kind === "directory") return options.write || options.truncate ? "is-directory" : node;
    if (options.directory || place.directory) return "not-directory";
    if ((options.write || options.truncate) && !node.writable) return "read-only";
    if (options.truncate) this.resize(node, 0);
    return node;
  }

  makeDirectory(from: Directory, path: string): FileError | null {
    const place = this.#resolve(from, path);
    if (typeof place === "string") return place;
    if (place.node !== undefined) return "exist";
    if (!place.parent.writable) return "read-only";
    const error = this.#roomForNode();
    if (error !== null) return error;
    this.#put(place.parent, place.name, new Directory(++this.#nextId, true, this.#now()));
    return null;
  }

  /** Removes a file, or an empty directory, as `kind` says. */
  remove(from: Directory, path: string, kind: Node["kind"]): FileError | null {
    const place = this.#resolve(from, path);
    if (typeof place === "string") return place;
    const { parent, name, node } = place;
    if (node === undefined) return "no-entry";
    if (node.kind !== kind) return kind === "file" ? "is-directory" : "not-directory";
    if (place.directory && kind === "file") return "not-directory";
    if (!node.writable) return "read-only";
    if (name === "" || node === this.scratch) return "not-permitted";
    if (node.kind === "directory" && node.size > 0) return "not-empty";
    this.#drop(parent, name, node);
    return null;
  }

  rename(from: Directory, path: string, to: Directory, newPath: string): FileError | null {
    const old = this.#resolve(from, path);
    if (typeof old === "string") return old;
    const target = this.#resolve(to, newPath);
    if (typeof target === "string") return target;
    const { node } = old;
    if (node === undefined) return "no-entry";
    if (!node.writable || !target.parent.writable || target.node?.writable === false) return "read-only";
    if (old.name === "" || target.name === "" || node === this.scratch || target.node === this.scratch) {
      return "not-permitted";
    }
    if (node.kind === "file" && (old.directory || target.directory)) return "not-directory";
    if (target.node === node) return null;
    if (node.kind === "directory" && this.#isInside(target.parent, node)) return "invalid";
    const replaced = target.node;
    if (replaced !== undefined) {
      if (replaced.kind === "directory" && node.kind === "file") return "is-directory";
      if (replaced.kind === "file" && node.kind === "directory") return "not-directory";
      if (replaced.kind === "directory" && replaced.size > 0) return "not-empty";
      this.#drop(target.parent, target.name, replaced);
    }
    old.parent.remove(old.name);
    target.parent.add(target.name, node);
    return null;
  }

  /** Writes into a file that was opened for it, which grows where it must. */
  write(file: File, offset: number, bytes: Uint8Array): FileError | null {
    // Nothing, written beyond the end, does not move that.
    if (bytes.byteLength === 0) return null;
    const end = offset + bytes.byteLength;
    if (end > file.size) {
      const error = this.resize(file, end);
      if (error !== null) return error;
    }
    file.bytes.set(bytes, offset);
    file.changedMs = this.#now();
    return null;
  }

  /** Cuts a file, or makes it longer by zeros. */
  resize(file: File, size: number): FileError | null {
    if (size > limits.scratchBytesMax) return "file-too-large";
    if (size > file.bytes.byteLength) {
      // Twice as much, so that what is written byte by byte is copied about once.
      const capacity = Math.min(Math.max(size, 2 * file.bytes.byteLength, 256), limits.scratchBytesMax);
      if (!this.#take(capacity - file.bytes.byteLength)) return "insufficient-space";
      const larger = new Uint8Array(capacity);
      larger.set(file.bytes.subarray(0, file.size));
      file.bytes = larger;
    } else if (size < file.size) file.bytes.fill(0, size, file.size);
    file.size = size;
    file.changedMs = this.#now();
    return null;
  }

  /** A descriptor has been closed: a file that no directory has goes with its last one. */
  closed(node: Node): void {
    if (node.kind !== "file") return;
    node.opens -= 1;
    this.#free(node);
  }

  #free(file: File): void {
    if (file.linked || file.opens > 0) return;
    this.#take(-file.bytes.byteLength - nodeBytes);
    this.#nodes -= 1;
  }

  #drop(parent: Directory, name: string, node: Node): void {
    parent.remove(name);
    parent.changedMs = this.#now();
    node.linked = false;
    if (node.kind === "file") this.#free(node);
    else {
      this.#take(-nodeBytes);
      this.#nodes -= 1;
    }
  }

  #put(parent: Directory, name: string, node: Node): void {
    parent.add(name, node);
    parent.changedMs = this.#now();
  }

  #roomForNode(): FileError | null {
    if (this.#nodes >= limits.scratchFilesMax || !this.#take(nodeBytes)) return "insufficient-space";
    this.#nodes += 1;
    return null;
  }

  #take(bytes: number): boolean {
    if (this.#bytes + bytes > limits.scratchBytesMax || !this.#hold(bytes)) return false;
    this.#bytes += bytes;
    return true;
  }

  #isInside(directory: Directory, outer: Directory): boolean {
    if (directory === outer) return true;
    for (const [, child] of outer.entries()) {
      if (child.kind === "directory" && this.#isInside(directory, child)) return true;
    }
    return false;
  }

  #resolve(from: Directory, path: string): Place | FileError {
    if (path === "") return "no-entry";
    if (path.startsWith("/")) return "not-permitted";
    if (path.includes("\0")) return "invalid";
    if (path.length > pathBytesMax) return "name-too-long";
    const above: Directory[] = [from];
    const parts = path.split("/");
    const isDirectory = /(?:^|\/)\.{0,2}$/.test(path);
    const last = parts.findLastIndex((part) => part !== "" && part !== ".");
    for (const [index, part] of parts.entries()) {
      if (part === "" || part === ".") continue;
      if (part === "..") {
        above.pop();
        if (above.length === 0) return "not-permitted";
        continue;
      }
      if (part.length * 3 > nameBytesMax && Buffer.byteLength(part) > nameBytesMax) return "name-too-long";
      const parent = above.at(-1) as Directory;
      // Of a directory that has been removed.
      if (!parent.linked) return "no-entry";
      const node = this.child(parent, part);
      if (index === last) return { parent, name: part, node, directory: isDirectory };
      if (node === undefined) return "no-entry";
      if (node.kind !== "directory") return "not-directory";
      above.push(node);
    }
    const directory = above.at(-1) as Directory;
    return { parent: directory, name: "", node: directory, directory: true };
  }
}

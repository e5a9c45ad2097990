// What wasi:filesystem hands a component: descriptors of the files its version carries and of those in its
// private /tmp, listings of directories, and streams of files. The file system itself is filesystem/.

import {
  type FileError,
  type FileSystem,
  isFileError,
  type OpenOptions,
} from "../../filesystem/file-system.ts";
import type { Directory, File, Node } from "../../filesystem/nodes.ts";
import { bad, good, type Result } from "./compound-types.ts";
import { InputStream, OutputStream, StreamFault } from "./streams.ts";

export class Descriptor {
  readonly files: FileSystem;
  readonly node: Node;
  readonly reads: boolean;
  readonly writes: boolean;

  constructor(
    files: FileSystem,
    node: Node,
    { reads, writes }: { readonly reads: boolean; readonly writes: boolean },
  ) {
    this.files = files;
    this.node = node;
    this.reads = reads;
    this.writes = writes;
    if (node.kind === "file") node.opens += 1;
  }

  /** Its handle is gone. */
  dropped(): void {
    this.files.closed(this.node);
  }

  open(path: string, options: OpenOptions, reads: boolean): Result<Descriptor, FileError> {
    if (this.node.kind !== "directory") return bad("not-directory");
    const node = this.files.open(this.node, path, options);
    if (isFileError(node)) return bad(node);
    return good(new Descriptor(this.files, node, { reads, writes: options.write }));
  }

  find(path: string): Result<Node, FileError> {
    if (this.node.kind !== "directory") return bad("not-directory");
    const node = this.files.find(this.node, path);
    return isFileError(node) ? bad(node) : good(node);
  }

  /** Changes what a path leads to. */
  change(work: (files: FileSystem, directory: Directory) => FileError | null): Result<undefined, FileError> {
    if (this.node.kind !== "directory") return bad("not-directory");
    const error = work(this.files, this.node);
    return error === null ? good(undefined) : bad(error);
  }

  /** The file, to be read or written; what keeps it from that. */
  file(use: "read" | "write"): File | FileError {
    if (this.node.kind === "directory") return "is-directory";
    if (use === "write" && !this.node.writable) return "read-only";
    if (use === "read" ? !this.reads : !this.writes) return "not-permitted";
    return this.node;
  }

  read(offset: bigint, length: bigint): Result<readonly [Uint8Array, boolean], FileError> {
    const file = this.file("read");
    if (typeof file === "string") return bad(file);
    const read = bytesOf(file, offset, length);
    return good([read, offset + BigInt(read.byteLength) >= BigInt(file.size)]);
  }

  write(offset: bigint, bytes: Uint8Array): Result<bigint, FileError> {
    const file = this.file("write");
    if (typeof file === "string") return bad(file);
    if (offset > BigInt(Number.MAX_SAFE_INTEGER)) return bad("file-too-large");
    const error = this.files.write(file, Number(offset), bytes);
    return error === null ? good(BigInt(bytes.byteLength)) : bad(error);
  }

  reader(offset: bigint): Result<InputStream, FileError> {
    const file = this.file("read");
    if (typeof file === "string") return bad(file);
    let at = offset;
    const next = (max: number): Uint8Array | null => {
      const read = bytesOf(file, at, BigInt(max));
      at += BigInt(read.byteLength);
      return read.byteLength === 0 ? null : read;
    };
    return good(new InputStream(next, false, this.#opened(file)));
  }

  /** `offset` null: always at the end. */
  writer(offset: bigint | null): Result<OutputStream, FileError> {
    const file = this.file("write");
    if (typeof file === "string") return bad(file);
    let at = offset;
    const write = (bytes: Uint8Array): StreamFault | undefined => {
      const wrote = this.write(at ?? BigInt(file.size), bytes);
      if (wrote.tag === "err") return new StreamFault(wrote.value);
      if (at !== null) at += wrote.value;
      return undefined;
    };
    return good(new OutputStream(write, false, this.#opened(file)));
  }

  /** A stream keeps its file, as a descriptor does; gives what ends that. */
  #opened(file: File): () => void {
    file.opens += 1;
    return () => this.files.closed(file);
  }
}

function bytesOf({ bytes, size }: File, offset: bigint, length: bigint): Uint8Array {
  if (offset >= BigInt(size)) return new Uint8Array(0);
  const start = Number(offset);
  const left = BigInt(size - start);
  return bytes.subarray(start, start + Number(length < left ? length : left));
}

/** A listing of a directory that goes on where it stopped, whatever has changed. */
export class DirectoryListing {
  readonly #files: FileSystem;
  readonly #directory: Directory;
  #place = 0;

  constructor(files: FileSystem, directory: Directory) {
    this.#files = files;
    this.#directory = directory;
  }

  next(): { readonly name: string; readonly node: Node } | undefined {
    for (const [name, node, place] of this.#files.entries(this.#directory, this.#place)) {
      this.#place = place + 1;
      return { name, node };
    }
    return undefined;
  }
}

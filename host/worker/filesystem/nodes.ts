// Files and directories as a guest finds them: those that its version carries, which all its calls share and
// none can change, and those it makes itself, in memory, for one call. No paths, and no ABI's words.

export class File {
  readonly kind = "file";
  readonly id: number;
  readonly writable: boolean;
  /** The first `size` bytes are the file's. */
  bytes: Uint8Array;
  size: number;
  changedMs: number;
  /** Its place in its directory; places are never used again, so that a listing can go on after a change. */
  place = 0;
  /** Whether a directory has it, and how many descriptors do. */
  linked = true;
  opens = 0;

  constructor(id: number, bytes: Uint8Array, writable: boolean, changedMs = 0) {
    this.id = id;
    this.bytes = bytes;
    this.size = bytes.byteLength;
    this.writable = writable;
    this.changedMs = changedMs;
  }
}

export class Directory {
  readonly kind = "directory";
  readonly id: number;
  readonly writable: boolean;
  changedMs: number;
  place = 0;
  linked = true;
  readonly #children = new Map<string, Node>();
  #nextPlace = 0;

  constructor(id: number, writable: boolean, changedMs = 0) {
    this.id = id;
    this.writable = writable;
    this.changedMs = changedMs;
  }

  get size(): number {
    return this.#children.size;
  }

  get(name: string): Node | undefined {
    return this.#children.get(name);
  }

  add(name: string, node: Node): void {
    node.place = this.#nextPlace;
    this.#nextPlace += 1;
    this.#children.set(name, node);
  }

  remove(name: string): void {
    this.#children.delete(name);
  }

  /** In the order of their places. */
  entries(): Iterable<readonly [string, Node]> {
    return this.#children;
  }
}

export type Node = File | Directory;

/** What is carried by a version that carries no files. */
export const emptyTree = new Directory(1, false);

/** The tree of files by their paths, parts joined by "/"; `bytes` null is an empty directory. */
export function treeOf(
  entries: Iterable<{ readonly path: string; readonly bytes: Uint8Array | null }>,
): Directory {
  let id = 1;
  const root = new Directory(id, false);
  for (const { path, bytes } of entries) {
    const parts = path.split("/");
    const name = parts.pop() ?? "";
    let directory = root;
    for (const part of parts) {
      let next = directory.get(part);
      if (next === undefined) {
        next = new Directory(++id, false);
        directory.add(part, next);
      }
      if (next.kind !== "directory") throw new Error(`A file is a folder of another: ${path}`);
      directory = next;
    }
    directory.add(name, bytes === null ? new Directory(++id, false) : new File(++id, bytes, false));
  }
  return root;
}

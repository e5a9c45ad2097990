// System calls on descriptors: reading, writing, seeking, describing, listing, closing.

import { limits } from "../../../limits.ts";
import type { CallState } from "../../call-state.ts";
import type { FileSystem } from "../../filesystem/file-system.ts";
import { wouldWait } from "../../may-wait.ts";
import { call, callThatMayWait, type HostCalls } from "../host-call.ts";
import { type Descriptor, type OpenDirectory, type OpenFile, readinessOf } from "./descriptors.ts";
import { errno, errnoOf } from "./errno.ts";
import { type Program, programOf } from "./program.ts";
import { fdFlag, typeOf, writeFdstat, writeFilestat } from "./stat.ts";
import { noRoom } from "./streams.ts";
import { vectors } from "./vectors.ts";

const whence = { set: 0, current: 1, end: 2 } as const;
/** Beyond it no position is exact, nor is any file so long. */
const positionMax = 2 ** 53 - 1;

/** The file under a descriptor, or what to answer. */
function fileOf({ descriptors }: Program, fd: number): OpenFile | number {
  const found = descriptors.get(fd);
  if (found === null) return errno.badf;
  if (found.kind === "directory") return errno.isdir;
  return found.kind === "file" ? found : errno.spipe;
}

/** Reads into the vectors; how many bytes. */
function readFile({ node }: OpenFile, position: number, ranges: readonly Uint8Array[]): number {
  let read = 0;
  for (const range of ranges) {
    const from = position + read;
    const chunk = node.bytes.subarray(
      Math.min(from, node.size),
      Math.min(from + range.byteLength, node.size),
    );
    range.set(chunk);
    read += chunk.byteLength;
    if (chunk.byteLength < range.byteLength) break;
  }
  return read;
}

type Moved = { readonly code: number; readonly bytes: number };

/** Writes the vectors into a file; as much as there is room for. */
function writeFile(
  files: FileSystem,
  { node }: OpenFile,
  position: number,
  ranges: readonly Uint8Array[],
): Moved {
  let bytes = 0;
  for (const range of ranges) {
    const error = files.write(node, position + bytes, range);
    if (error !== null) return { code: bytes > 0 ? errno.success : errnoOf(error), bytes };
    bytes += range.byteLength;
  }
  return { code: errno.success, bytes };
}

function read(
  _program: Program,
  descriptor: Descriptor,
  ranges: readonly Uint8Array[],
): Moved | typeof wouldWait {
  if (descriptor.kind === "file") {
    if (!descriptor.reads) return { code: errno.badf, bytes: 0 };
    const bytes = readFile(descriptor, descriptor.position, ranges);
    descriptor.position += bytes;
    return { code: errno.success, bytes };
  }
  if (descriptor.kind !== "source") {
    return { code: descriptor.kind === "directory" ? errno.isdir : errno.badf, bytes: 0 };
  }
  const { source } = descriptor;
  if (!source.isReady) {
    source.ask();
    return descriptor.nonblocking ? { code: errno.again, bytes: 0 } : wouldWait;
  }
  let bytes = 0;
  for (const range of ranges) {
    const count = source.read(range);
    bytes += count;
    if (count < range.byteLength) break;
  }
  return { code: errno.success, bytes };
}

function write(
  program: Program,
  descriptor: Descriptor,
  ranges: readonly Uint8Array[],
): Moved | typeof wouldWait {
  if (descriptor.kind === "file") {
    if (!descriptor.writes) return { code: errno.badf, bytes: 0 };
    if (descriptor.appends) descriptor.position = descriptor.node.size;
    const moved = writeFile(program.files, descriptor, descriptor.position, ranges);
    descriptor.position += moved.bytes;
    return moved;
  }
  if (descriptor.kind !== "sink") {
    return { code: descriptor.kind === "directory" ? errno.isdir : errno.badf, bytes: 0 };
  }
  const { sink } = descriptor;
  if (!sink.hasRoom) return descriptor.nonblocking ? { code: errno.again, bytes: 0 } : wouldWait;
  let bytes = 0;
  for (const range of ranges) {
    if (sink.write(range) === noRoom) return { code: bytes > 0 ? errno.success : errno.nospc, bytes };
    bytes += range.byteLength;
  }
  return { code: errno.success, bytes };
}

/** A read or write of vectors at the descriptor's own position. */
function moving(move: typeof read, name: string): HostCalls[string] {
  const run = (state: CallState, fd: number, pointer: number, count: number, moved: number): number => {
    const program = programOf(state);
    const descriptor = program.descriptors.get(fd);
    if (descriptor === null) return program.done(errno.badf);
    const ranges = vectors(program.memory, pointer, count);
    if (ranges === null) return program.done(errno.inval);
    // Where nothing can be written later is found out before anything is moved.
    program.memory.u32(moved);
    const outcome = move(program, descriptor, ranges);
    if (outcome === wouldWait) return program.wouldWait();
    const { code, bytes } = outcome;
    if (code === errno.success) program.memory.setU32(moved, bytes);
    return program.done(code, bytes);
  };
  const later = async (
    state: CallState,
    ...args: [fd: number, pointer: number, count: number, moved: number]
  ): Promise<number> => {
    for (;;) {
      const program = programOf(state);
      const until = readinessOf(program.descriptors.get(args[0]));
      if (until?.isReady === false) await program.wait(until.begin(), name);
      const answer = run(state, ...args);
      if (answer !== wouldWait) return answer;
    }
  };
  return callThatMayWait(run, later);
}

/** The same at a position of its own. */
const movingAt = (move: (program: Program, file: OpenFile, at: number, ranges: Uint8Array[]) => Moved) =>
  call(
    ["i32", "i32", "i32", "i64", "i32"],
    ["i32"],
    (state, fd: number, pointer: number, count: number, offset: bigint, moved: number) => {
      const program = programOf(state);
      const file = fileOf(program, fd);
      if (typeof file === "number") return program.done(file);
      const ranges = vectors(program.memory, pointer, count);
      const position = Number(BigInt.asUintN(64, offset));
      if (ranges === null || position > positionMax) return program.done(errno.inval);
      const { code, bytes } = move(program, file, position, ranges);
      if (code === errno.success) program.memory.setU32(moved, bytes);
      return program.done(code, bytes);
    },
  );

/** Sets a file's position; -1 when there is none like it. */
function sought({ position, node }: OpenFile, offset: bigint, from: number): number {
  if (from > whence.end) return -1;
  const base = from === whence.set ? 0 : from === whence.current ? position : node.size;
  const found = base + Number(offset);
  return found <= positionMax ? found : -1;
}

const entryBytes = 24;

/** The entries of a directory from a cookie on: ".", "..", then by their places. */
function* entriesFrom(files: FileSystem, { node }: OpenDirectory, cookie: number) {
  for (const [index, name] of [".", ".."].entries()) {
    if (index >= cookie) yield { name, node, next: index + 1 };
  }
  for (const [name, child, place] of files.entries(node, cookie - 2)) {
    yield { name, node: child, next: place + 3 };
  }
}

/** Fills the buffer with entries, of which the last may be cut; how many bytes. */
function list(program: Program, directory: OpenDirectory, buffer: Uint8Array, cookie: number): number {
  let used = 0;
  for (const { name, node, next } of entriesFrom(program.files, directory, cookie)) {
    const bytes = Buffer.from(name);
    const head = new DataView(new ArrayBuffer(entryBytes));
    head.setBigUint64(0, BigInt(next), true);
    head.setBigUint64(8, BigInt(node.id), true);
    head.setUint32(16, bytes.byteLength, true);
    head.setUint8(20, typeOf(node.kind));
    for (const part of [new Uint8Array(head.buffer), bytes]) {
      const fits = part.subarray(0, buffer.byteLength - used);
      buffer.set(fits, used);
      used += fits.byteLength;
    }
    if (used === buffer.byteLength) break;
  }
  return used;
}

/** A call that has nothing to do for a descriptor that there is. */
const hint = (params: readonly string[]): HostCalls[string] =>
  call(params, ["i32"], (state, fd: number) => {
    const program = programOf(state);
    return program.done(program.descriptors.get(fd) === null ? errno.badf : errno.success);
  });

export const descriptorCalls: HostCalls = {
  fd_read: moving(read, "fd_read"),
  fd_write: moving(write, "fd_write"),
  fd_pread: movingAt((_program, file, at, ranges) =>
    file.reads ? { code: errno.success, bytes: readFile(file, at, ranges) } : { code: errno.badf, bytes: 0 },
  ),
  fd_pwrite: movingAt((program, file, at, ranges) =>
    file.writes ? writeFile(program.files, file, at, ranges) : { code: errno.badf, bytes: 0 },
  ),
  fd_seek: call(
    ["i32", "i64", "i32", "i32"],
    ["i32"],
    (state, fd: number, offset: bigint, from: number, pointer: number) => {
      const program = programOf(state);
      const file = fileOf(program, fd);
      if (typeof file === "number") return program.done(file);
      const position = sought(file, offset, from >>> 0);
      if (position < 0) return program.done(errno.inval);
      program.memory.setU64(pointer, BigInt(position));
      file.position = position;
      return program.done(errno.success);
    },
  ),
  fd_tell: call(["i32", "i32"], ["i32"], (state, fd: number, pointer: number) => {
    const program = programOf(state);
    const file = fileOf(program, fd);
    if (typeof file === "number") return program.done(file);
    program.memory.setU64(pointer, BigInt(file.position));
    return program.done(errno.success);
  }),
  fd_close: call(["i32"], ["i32"], (state, fd: number) => {
    const program = programOf(state);
    const closed = program.descriptors.remove(fd);
    if (closed === null) return program.done(errno.badf);
    program.closed(closed);
    return program.done(errno.success);
  }),
  fd_renumber: call(["i32", "i32"], ["i32"], (state, from: number, to: number) => {
    const program = programOf(state);
    const { descriptors } = program;
    const moved = descriptors.get(from);
    if (moved === null || descriptors.get(to) === null) return program.done(errno.badf);
    if (from === to) return program.done(errno.success);
    descriptors.remove(from);
    const replaced = descriptors.replace(to, moved);
    if (replaced !== null) program.closed(replaced);
    return program.done(errno.success);
  }),
  fd_fdstat_get: call(["i32", "i32"], ["i32"], (state, fd: number, pointer: number) => {
    const program = programOf(state);
    const descriptor = program.descriptors.get(fd);
    if (descriptor === null) return program.done(errno.badf);
    writeFdstat(program.memory, pointer, descriptor);
    return program.done(errno.success);
  }),
  fd_fdstat_set_flags: call(["i32", "i32"], ["i32"], (state, fd: number, flags: number) => {
    const program = programOf(state);
    const descriptor = program.descriptors.get(fd);
    if (descriptor === null) return program.done(errno.badf);
    if (descriptor.kind === "file") descriptor.appends = (flags & fdFlag.append) !== 0;
    else if (descriptor.kind !== "directory") descriptor.nonblocking = (flags & fdFlag.nonblock) !== 0;
    return program.done(errno.success);
  }),
  fd_fdstat_set_rights: hint(["i32", "i64", "i64"]),
  fd_filestat_get: call(["i32", "i32"], ["i32"], (state, fd: number, pointer: number) => {
    const program = programOf(state);
    const descriptor = program.descriptors.get(fd);
    if (descriptor === null) return program.done(errno.badf);
    writeFilestat(program.memory, pointer, "node" in descriptor ? descriptor.node : null);
    return program.done(errno.success);
  }),
  fd_filestat_set_size: call(["i32", "i64"], ["i32"], (state, fd: number, size: bigint) => {
    const program = programOf(state);
    const file = fileOf(program, fd);
    if (typeof file === "number") return program.done(file);
    if (!file.writes) return program.done(errno.badf);
    const error = program.files.resize(file.node, Number(BigInt.asUintN(64, size)));
    return program.done(errnoOf(error), limits.systemCallBytesMax);
  }),
  fd_filestat_set_times: hint(["i32", "i64", "i64", "i32"]),
  fd_advise: hint(["i32", "i64", "i64", "i32"]),
  fd_allocate: call(["i32", "i64", "i64"], ["i32"], (state, fd: number, offset: bigint, length: bigint) => {
    const program = programOf(state);
    const file = fileOf(program, fd);
    if (typeof file === "number") return program.done(file);
    if (!file.writes) return program.done(errno.badf);
    const size = Number(BigInt.asUintN(64, offset)) + Number(BigInt.asUintN(64, length));
    const error = size > file.node.size ? program.files.resize(file.node, size) : null;
    return program.done(errnoOf(error), limits.systemCallBytesMax);
  }),
  fd_datasync: hint(["i32"]),
  fd_sync: hint(["i32"]),
  fd_prestat_get: call(["i32", "i32"], ["i32"], (state, fd: number, pointer: number) => {
    const program = programOf(state);
    const found = program.descriptors.get(fd);
    if (found?.kind !== "directory" || found.preopenedAs === null) return program.done(errno.badf);
    program.memory.setU32(pointer, 0);
    program.memory.setU32((pointer >>> 0) + 4, Buffer.byteLength(found.preopenedAs));
    return program.done(errno.success);
  }),
  fd_prestat_dir_name: call(
    ["i32", "i32", "i32"],
    ["i32"],
    (state, fd: number, pointer: number, length: number) => {
      const program = programOf(state);
      const found = program.descriptors.get(fd);
      if (found?.kind !== "directory" || found.preopenedAs === null) return program.done(errno.badf);
      const name = Buffer.from(found.preopenedAs);
      if (name.byteLength > length >>> 0) return program.done(errno.nametoolong);
      program.memory.view(pointer, name.byteLength).set(name);
      return program.done(errno.success);
    },
  ),
  fd_readdir: call(
    ["i32", "i32", "i32", "i64", "i32"],
    ["i32"],
    (state, fd: number, pointer: number, length: number, cookie: bigint, used: number) => {
      const program = programOf(state);
      const found = program.descriptors.get(fd);
      if (found === null) return program.done(errno.badf);
      if (found.kind !== "directory") return program.done(errno.notdir);
      const buffer = program.memory.view(pointer, length).subarray(0, limits.systemCallBytesMax);
      const from = Number(BigInt.asUintN(64, cookie));
      program.memory.setU32(used, list(program, found, buffer, from));
      // Those before the cookie are passed over one by one.
      return program.done(errno.success, buffer.byteLength + 256 * found.node.size);
    },
  ),
};

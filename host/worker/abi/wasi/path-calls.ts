// System calls on paths, each from a directory that the guest has. There are no links, and none can be made.

import type { CallState } from "../../call-state.ts";
import type { FileError } from "../../filesystem/file-system.ts";
import { isFileError } from "../../filesystem/file-system.ts";
import type { Directory } from "../../filesystem/nodes.ts";
import { call, type HostCalls } from "../host-call.ts";
import { errno, errnoOf } from "./errno.ts";
import { type Program, programOf } from "./program.ts";
import { fdFlag, right, writeFilestat } from "./stat.ts";

const openFlag = { create: 1, directory: 2, exclusive: 4, truncate: 8 } as const;
const pathBytesMax = 4_096;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function pathOf({ memory }: Program, pointer: number, length: number): string | FileError {
  const bytes = memory.view(pointer, length);
  if (bytes.byteLength > pathBytesMax) return "name-too-long";
  try {
    // A word of the errors is told from a path by the slash before it.
    return `/${utf8.decode(bytes)}`;
  } catch {
    return "illegal-byte-sequence";
  }
}

/** The directory under a descriptor, or what to answer. */
function directoryOf({ descriptors }: Program, fd: number): Directory | number {
  const found = descriptors.get(fd);
  if (found === null) return errno.badf;
  return found.kind === "directory" ? found.node : errno.notdir;
}

type At = { readonly directory: Directory; readonly path: string };

/** Where a descriptor and a path begin, or what to answer. */
function at(program: Program, fd: number, pointer: number, length: number): At | number {
  const directory = directoryOf(program, fd);
  if (typeof directory === "number") return directory;
  const path = pathOf(program, pointer, length);
  if (!path.startsWith("/")) return errnoOf(path as FileError);
  return { directory, path: path.slice(1) };
}

/** A call that changes what one path leads to. */
const changing = (change: (program: Program, at: At) => FileError | null): HostCalls[string] =>
  call(["i32", "i32", "i32"], ["i32"], (state, fd: number, pointer: number, length: number) => {
    const program = programOf(state);
    const place = at(program, fd, pointer, length);
    return program.done(typeof place === "number" ? place : errnoOf(change(program, place)));
  });

const refused = (params: number, code: number): HostCalls[string] =>
  call(Array<string>(params).fill("i32"), ["i32"], (state) => programOf(state).done(code));

type Opened = { readonly openFlags: number; readonly rights: bigint; readonly flags: number };

/** Opens what is there; the number of its descriptor, or, negated, what to answer. */
function open(program: Program, { directory, path }: At, { openFlags, rights, flags }: Opened): number {
  const writes = (rights & right.write) !== 0n;
  const node = program.files.open(directory, path, {
    create: (openFlags & openFlag.create) !== 0,
    exclusive: (openFlags & openFlag.exclusive) !== 0,
    truncate: (openFlags & openFlag.truncate) !== 0,
    directory: (openFlags & openFlag.directory) !== 0,
    write: writes,
  });
  if (isFileError(node)) return -errnoOf(node);
  const opened = program.descriptors.add(
    node.kind === "directory"
      ? { kind: "directory", node, preopenedAs: null }
      : {
          kind: "file",
          node,
          reads: (rights & right.read) !== 0n,
          writes,
          appends: (flags & fdFlag.append) !== 0,
          position: 0,
        },
  );
  if (opened === null) return -errno.mfile;
  if (node.kind === "file") node.opens += 1;
  return opened;
}

export const pathCalls: HostCalls = {
  path_open: call(
    ["i32", "i32", "i32", "i32", "i32", "i64", "i64", "i32", "i32"],
    ["i32"],
    (
      state: CallState,
      fd: number,
      _lookup: number,
      pointer: number,
      length: number,
      openFlags: number,
      rights: bigint,
      _inheriting: bigint,
      flags: number,
      opened: number,
    ) => {
      const program = programOf(state);
      const place = at(program, fd, pointer, length);
      if (typeof place === "number") return program.done(place);
      const found = open(program, place, { openFlags, rights, flags });
      if (found < 0) return program.done(-found);
      program.memory.setU32(opened, found);
      return program.done(errno.success);
    },
  ),
  path_filestat_get: call(
    ["i32", "i32", "i32", "i32", "i32"],
    ["i32"],
    (state, fd: number, _lookup: number, pointer: number, length: number, stat: number) => {
      const program = programOf(state);
      const place = at(program, fd, pointer, length);
      if (typeof place === "number") return program.done(place);
      const node = program.files.find(place.directory, place.path);
      if (isFileError(node)) return program.done(errnoOf(node));
      writeFilestat(program.memory, stat, node);
      return program.done(errno.success);
    },
  ),
  path_filestat_set_times: call(
    ["i32", "i32", "i32", "i32", "i64", "i64", "i32"],
    ["i32"],
    (state, fd: number, _lookup: number, pointer: number, length: number) => {
      const program = programOf(state);
      const place = at(program, fd, pointer, length);
      if (typeof place === "number") return program.done(place);
      const node = program.files.find(place.directory, place.path);
      if (isFileError(node)) return program.done(errnoOf(node));
      return program.done(node.writable ? errno.success : errno.rofs);
    },
  ),
  path_create_directory: changing(({ files }, { directory, path }) => files.makeDirectory(directory, path)),
  path_remove_directory: changing(({ files }, { directory, path }) =>
    files.remove(directory, path, "directory"),
  ),
  path_unlink_file: changing(({ files }, { directory, path }) => files.remove(directory, path, "file")),
  path_rename: call(
    ["i32", "i32", "i32", "i32", "i32", "i32"],
    ["i32"],
    (
      state: CallState,
      fd: number,
      pointer: number,
      length: number,
      newFd: number,
      newPointer: number,
      newLength: number,
    ) => {
      const program = programOf(state);
      const from = at(program, fd, pointer, length);
      if (typeof from === "number") return program.done(from);
      const to = at(program, newFd, newPointer, newLength);
      if (typeof to === "number") return program.done(to);
      const { files } = program;
      return program.done(errnoOf(files.rename(from.directory, from.path, to.directory, to.path)));
    },
  ),
  path_readlink: call(
    ["i32", "i32", "i32", "i32", "i32", "i32"],
    ["i32"],
    (state, fd: number, pointer: number, length: number) => {
      const program = programOf(state);
      const place = at(program, fd, pointer, length);
      if (typeof place === "number") return program.done(place);
      const node = program.files.find(place.directory, place.path);
      return program.done(isFileError(node) ? errnoOf(node) : errno.inval);
    },
  ),
  path_link: refused(7, errno.notsup),
  path_symlink: refused(5, errno.notsup),
};

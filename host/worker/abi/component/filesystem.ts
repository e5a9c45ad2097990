// wasi:filesystem 0.2 on the file system of one call: what the version carries under "/", which cannot be
// written, and a private "/tmp" in memory. There are no links, and nothing of the host's disk is in reach.

import type { FileError } from "../../filesystem/file-system.ts";
import type { Node } from "../../filesystem/nodes.ts";
import { datetime, datetimeOf } from "./clocks.ts";
import {
  bad,
  done,
  enumeration,
  flags,
  good,
  option,
  type Result,
  record,
  result,
  tuple,
  variant,
} from "./compound-types.ts";
import { Descriptor, DirectoryListing } from "./descriptors.ts";
import { earlyFunc, type HostFunction, type Interface } from "./host-function.ts";
import { borrow, own } from "./resources.ts";
import { InputStream, OutputStream, StreamFault } from "./streams.ts";
import { bool, bytes, list, string, u64, type ValueOf } from "./value-types.ts";

const errorNames = [
  "access",
  "would-block",
  "already",
  "bad-descriptor",
  "busy",
  "deadlock",
  "quota",
  "exist",
  "file-too-large",
  "illegal-byte-sequence",
  "in-progress",
  "interrupted",
  "invalid",
  "io",
  "is-directory",
  "loop",
  "too-many-links",
  "message-size",
  "name-too-long",
  "no-device",
  "no-entry",
  "no-lock",
  "insufficient-memory",
  "insufficient-space",
  "not-directory",
  "not-empty",
  "not-recoverable",
  "unsupported",
  "no-tty",
  "no-such-device",
  "overflow",
  "not-permitted",
  "pipe",
  "read-only",
  "invalid-seek",
  "text-file-busy",
  "cross-device",
] as const;
type ErrorName = (typeof errorNames)[number];

const errorCode = enumeration(...errorNames);
const descriptorType = enumeration(
  "unknown",
  "block-device",
  "character-device",
  "directory",
  "fifo",
  "symbolic-link",
  "regular-file",
  "socket",
);
const descriptorFlags = flags(6);
const descriptorFlag = { read: 1, write: 2, mutateDirectory: 32 } as const;
const pathFlags = flags(1);
const openFlags = flags(4);
const openFlag = { create: 1, directory: 2, exclusive: 4, truncate: 8 } as const;
const advice = enumeration("normal", "sequential", "random", "will-need", "dont-need", "no-reuse");
const timestamp = variant({ "no-change": null, now: null, timestamp: datetime });
const stat = record({
  type: descriptorType,
  "link-count": u64,
  size: u64,
  "data-access-timestamp": option(datetime),
  "data-modification-timestamp": option(datetime),
  "status-change-timestamp": option(datetime),
});
const entry = record({ type: descriptorType, name: string });
const hash = record({ lower: u64, upper: u64 });

const self = borrow(Descriptor);
const nothing = result(null, errorCode);

const typeOf = ({ kind }: Node): ValueOf<typeof descriptorType> =>
  kind === "directory" ? "directory" : "regular-file";

function statOf(node: Node): ValueOf<typeof stat> {
  const changed = datetimeOf(node.changedMs);
  return {
    type: typeOf(node),
    "link-count": node.linked ? 1n : 0n,
    size: BigInt(node.kind === "file" ? node.size : 0),
    "data-access-timestamp": changed,
    "data-modification-timestamp": changed,
    "status-change-timestamp": changed,
  };
}

/** Ids are the call's own, and stand for what they name as long as it lasts. */
const hashOf = ({ id }: Node): ValueOf<typeof hash> => ({ lower: BigInt(id), upper: 0n });

function mapped<from, to>(found: Result<from, FileError>, work: (from: from) => to): Result<to, FileError> {
  return found.tag === "ok" ? good(work(found.value)) : found;
}

/** Times cannot be set; what cannot be written says so. */
const timesOf = (found: Result<Node, FileError>): Result<undefined, ErrorName> =>
  found.tag === "err" ? found : found.value.writable ? done : bad("read-only");

const unsupported = bad("unsupported");

const fileFunctions: Readonly<Record<string, HostFunction>> = {
  "[method]descriptor.read-via-stream": earlyFunc(
    [self, u64],
    result(own(InputStream), errorCode),
    (_guest, of, offset) => of.reader(offset),
  ),
  "[method]descriptor.write-via-stream": earlyFunc(
    [self, u64],
    result(own(OutputStream), errorCode),
    (_guest, of, offset) => of.writer(offset),
  ),
  "[method]descriptor.append-via-stream": earlyFunc(
    [self],
    result(own(OutputStream), errorCode),
    (_guest, of) => of.writer(null),
  ),
  "[method]descriptor.advise": earlyFunc([self, u64, u64, advice], nothing, () => done),
  "[method]descriptor.sync-data": earlyFunc([self], nothing, () => done),
  "[method]descriptor.sync": earlyFunc([self], nothing, () => done),
  "[method]descriptor.get-flags": earlyFunc(
    [self],
    result(descriptorFlags, errorCode),
    (_guest, { reads, writes, node }) => {
      const changes = node.kind === "directory" && node.writable ? descriptorFlag.mutateDirectory : 0;
      return good((reads ? descriptorFlag.read : 0) | (writes ? descriptorFlag.write : 0) | changes);
    },
  ),
  "[method]descriptor.get-type": earlyFunc([self], result(descriptorType, errorCode), (_guest, { node }) =>
    good(typeOf(node)),
  ),
  "[method]descriptor.set-size": earlyFunc([self, u64], nothing, (_guest, of, size) => {
    const file = of.file("write");
    if (typeof file === "string") return bad(file);
    if (size > BigInt(Number.MAX_SAFE_INTEGER)) return bad("file-too-large");
    const error = of.files.resize(file, Number(size));
    return error === null ? done : bad(error);
  }),
  "[method]descriptor.set-times": earlyFunc([self, timestamp, timestamp], nothing, (_guest, { node }) =>
    timesOf(good(node)),
  ),
  "[method]descriptor.read": earlyFunc(
    [self, u64, u64],
    result(tuple(bytes, bool), errorCode),
    (_guest, of, length, offset) => of.read(offset, length),
  ),
  "[method]descriptor.write": earlyFunc(
    [self, bytes, u64],
    result(u64, errorCode),
    (_guest, of, written, offset) => of.write(offset, written),
  ),
  "[method]descriptor.stat": earlyFunc([self], result(stat, errorCode), (_guest, { node }) =>
    good(statOf(node)),
  ),
  "[method]descriptor.is-same-object": earlyFunc(
    [self, self],
    bool,
    (_guest, one, other) => one.node === other.node,
  ),
  "[method]descriptor.metadata-hash": earlyFunc([self], result(hash, errorCode), (_guest, { node }) =>
    good(hashOf(node)),
  ),
};

const directoryFunctions: Readonly<Record<string, HostFunction>> = {
  "[method]descriptor.read-directory": earlyFunc(
    [self],
    result(own(DirectoryListing), errorCode),
    (_guest, { files, node }) =>
      node.kind === "directory" ? good(new DirectoryListing(files, node)) : bad("not-directory"),
  ),
  "[method]directory-entry-stream.read-directory-entry": earlyFunc(
    [borrow(DirectoryListing)],
    result(option(entry), errorCode),
    (_guest, listing) => {
      const next = listing.next();
      return good(next && { type: typeOf(next.node), name: next.name });
    },
  ),
  "[method]descriptor.create-directory-at": earlyFunc([self, string], nothing, (_guest, of, path) =>
    of.change((files, directory) => files.makeDirectory(directory, path)),
  ),
  "[method]descriptor.stat-at": earlyFunc(
    [self, pathFlags, string],
    result(stat, errorCode),
    (_guest, of, _flags, path) => mapped(of.find(path), statOf),
  ),
  "[method]descriptor.set-times-at": earlyFunc(
    [self, pathFlags, string, timestamp, timestamp],
    nothing,
    (_guest, of, _flags, path) => timesOf(of.find(path)),
  ),
  "[method]descriptor.link-at": earlyFunc(
    [self, pathFlags, string, self, string],
    nothing,
    () => unsupported,
  ),
  "[method]descriptor.open-at": earlyFunc(
    [self, pathFlags, string, openFlags, descriptorFlags],
    result(own(Descriptor), errorCode),
    (_guest, of, _flags, path, opening, wanted) => {
      const options = {
        create: (opening & openFlag.create) !== 0,
        directory: (opening & openFlag.directory) !== 0,
        exclusive: (opening & openFlag.exclusive) !== 0,
        truncate: (opening & openFlag.truncate) !== 0,
        write: (wanted & descriptorFlag.write) !== 0,
      };
      return of.open(path, options, (wanted & descriptorFlag.read) !== 0);
    },
  ),
  "[method]descriptor.readlink-at": earlyFunc(
    [self, string],
    result(string, errorCode),
    (_guest, of, path) => {
      const found = of.find(path);
      return found.tag === "err" ? found : bad("invalid");
    },
  ),
  "[method]descriptor.remove-directory-at": earlyFunc([self, string], nothing, (_guest, of, path) =>
    of.change((files, directory) => files.remove(directory, path, "directory")),
  ),
  "[method]descriptor.rename-at": earlyFunc(
    [self, string, self, string],
    nothing,
    (_guest, of, path, to, newPath) => {
      const { node } = to;
      if (node.kind !== "directory") return bad("not-directory");
      return of.change((files, directory) => files.rename(directory, path, node, newPath));
    },
  ),
  "[method]descriptor.symlink-at": earlyFunc([self, string, string], nothing, () => unsupported),
  "[method]descriptor.unlink-file-at": earlyFunc([self, string], nothing, (_guest, of, path) =>
    of.change((files, directory) => files.remove(directory, path, "file")),
  ),
  "[method]descriptor.metadata-hash-at": earlyFunc(
    [self, pathFlags, string],
    result(hash, errorCode),
    (_guest, of, _flags, path) => mapped(of.find(path), hashOf),
  ),
};

const codeOfStream = ({ message }: StreamFault): ErrorName | undefined =>
  errorNames.find((name) => name === message);

export const types: Interface = {
  resources: ["descriptor", "directory-entry-stream"],
  functions: {
    ...fileFunctions,
    ...directoryFunctions,
    "filesystem-error-code": earlyFunc([borrow(StreamFault)], option(errorCode), (_guest, fault) =>
      codeOfStream(fault),
    ),
  },
};

export const preopens: Interface = {
  resources: [],
  functions: {
    "get-directories": earlyFunc([], list(tuple(own(Descriptor), string)), ({ call: { files } }) => [
      [new Descriptor(files, files.root, { reads: true, writes: false }), "/"] as const,
    ]),
  },
};

// The file system of one call: the version's tree cannot be changed, /tmp can, within its bounds, and no path
// leads above the directory that it begins at.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { limits } from "../../host/limits.ts";
import { FileSystem, isFileError, type OpenOptions } from "../../host/worker/filesystem/file-system.ts";
import { type Directory, File, treeOf } from "../../host/worker/filesystem/nodes.ts";

const tree = treeOf([
  { path: "a/b.txt", bytes: Buffer.from("content") },
  { path: "a/c/d", bytes: Buffer.from("deep") },
  { path: "empty", bytes: null },
]);

const reading: OpenOptions = {
  create: false,
  exclusive: false,
  truncate: false,
  directory: false,
  write: false,
};
const writing: OpenOptions = { ...reading, create: true, write: true };

function fileSystem(hold: (bytes: number) => boolean = () => true): FileSystem {
  return new FileSystem(tree, hold, () => 5);
}

function opened(files: FileSystem, path: string, options: OpenOptions = writing): File {
  const node = files.open(files.root, path, options);
  assert.ok(node instanceof File, String(node));
  node.opens += 1;
  return node;
}

const names = (files: FileSystem, directory: Directory): string[] =>
  [...files.entries(directory, 0)].map(([name]) => name).sort();

const found = (files: FileSystem, path: string): string => {
  const node = files.find(files.root, path);
  return isFileError(node) ? node : node.kind;
};

test("paths lead to what is there, and nowhere else", () => {
  const files = fileSystem();
  const wanted: readonly (readonly [string, string])[] = [
    ["a/b.txt", "file"],
    ["./a//b.txt", "file"],
    ["a/../a/c/d", "file"],
    ["a", "directory"],
    ["a/", "directory"],
    [".", "directory"],
    ["tmp", "directory"],
    ["empty/..", "directory"],
    ["a/b.txt/", "not-directory"],
    ["a/b.txt/x", "not-directory"],
    ["a/b.txt/..", "not-directory"],
    ["none", "no-entry"],
    ["none/..", "no-entry"],
    ["", "no-entry"],
    ["..", "not-permitted"],
    ["a/../..", "not-permitted"],
    ["a/../../a", "not-permitted"],
    ["/a", "not-permitted"],
    ["a\0", "invalid"],
    ["n".repeat(256), "name-too-long"],
    ["n/".repeat(2_049), "name-too-long"],
    ["__proto__", "no-entry"],
    ["toString", "no-entry"],
  ];
  for (const [path, kind] of wanted) assert.equal(found(files, path), kind, path.slice(0, 20));
  const inside = files.find(files.root, "a");
  assert.ok(!isFileError(inside) && inside.kind === "directory");
  assert.equal(files.find(inside, ".."), "not-permitted");
  assert.equal(files.find(inside, "c/../../a"), "not-permitted");
  assert.deepEqual(names(files, files.root), ["a", "empty", "tmp"]);
});

test("the tree cannot be changed", () => {
  const files = fileSystem();
  assert.equal(files.open(files.root, "a/b.txt", { ...reading, write: true }), "read-only");
  assert.equal(files.open(files.root, "a/b.txt", { ...reading, truncate: true }), "read-only");
  assert.equal(files.open(files.root, "new", writing), "read-only");
  assert.equal(files.makeDirectory(files.root, "new"), "read-only");
  assert.equal(files.remove(files.root, "a/b.txt", "file"), "read-only");
  assert.equal(files.remove(files.root, "empty", "directory"), "read-only");
  assert.equal(files.rename(files.root, "a/b.txt", files.root, "tmp/b"), "read-only");
  assert.equal(files.remove(files.root, "tmp", "directory"), "not-permitted");
  opened(files, "tmp/x");
  assert.equal(files.rename(files.root, "tmp/x", files.root, "a/x"), "read-only");
  assert.equal(files.rename(files.root, "tmp", files.root, "tmp/tmp"), "not-permitted");
});

test("files of /tmp are made, written, cut, moved and removed", () => {
  const files = fileSystem();
  const file = opened(files, "tmp/x");
  assert.equal(files.write(file, 3, Buffer.from("abc")), null);
  assert.equal(Buffer.from(file.bytes.subarray(0, file.size)).toString(), "\0\0\0abc");
  assert.equal(files.resize(file, 4), null);
  assert.equal(files.resize(file, 6), null);
  assert.equal(Buffer.from(file.bytes.subarray(0, file.size)).toString(), "\0\0\0a\0\0");
  assert.equal(files.open(files.root, "tmp/x", { ...writing, exclusive: true }), "exist");
  assert.equal(files.makeDirectory(files.root, "tmp/d"), null);
  assert.equal(files.makeDirectory(files.root, "tmp/d"), "exist");
  assert.equal(files.rename(files.root, "tmp/x", files.root, "tmp/d/y"), null);
  assert.equal(found(files, "tmp/x"), "no-entry");
  assert.equal(found(files, "tmp/d/y"), "file");
  assert.equal(files.rename(files.root, "tmp/d", files.root, "tmp/d/e"), "invalid");
  assert.equal(files.remove(files.root, "tmp/d", "directory"), "not-empty");
  assert.equal(files.remove(files.root, "tmp/d", "file"), "is-directory");
  assert.equal(files.remove(files.root, "tmp/d/y", "file"), null);
  assert.equal(files.remove(files.root, "tmp/d", "directory"), null);
  assert.deepEqual(names(files, files.scratch), []);
});

test("what a listing has passed does not come again, and nothing is left out when entries go", () => {
  const files = fileSystem();
  for (let index = 0; index < 10; index += 1) opened(files, `tmp/${index}`);
  const seen: string[] = [];
  for (let from = 0; ; ) {
    const next = files.entries(files.scratch, from).next();
    if (next.done) break;
    const [name, , place] = next.value;
    seen.push(name);
    assert.equal(files.remove(files.root, `tmp/${name}`, "file"), null);
    from = place + 1;
  }
  assert.deepEqual(seen, [..."0123456789"]);
});

test("bytes and files of /tmp are bounded, and come back when nothing holds them", () => {
  let held = 0;
  const files = fileSystem((bytes) => {
    held += bytes;
    return true;
  });
  const file = opened(files, "tmp/large");
  assert.equal(files.resize(file, limits.scratchBytesMax + 1), "file-too-large");
  assert.equal(files.resize(file, limits.scratchBytesMax - 100_000), null);
  const other = opened(files, "tmp/other");
  assert.equal(files.resize(other, 200_000), "insufficient-space");
  assert.equal(files.remove(files.root, "tmp/large", "file"), null);
  // A descriptor has it still.
  assert.equal(files.resize(other, 200_000), "insufficient-space");
  files.closed(file);
  assert.equal(files.resize(other, 200_000), null);
  assert.equal(files.remove(files.root, "tmp/other", "file"), null);
  files.closed(other);
  assert.equal(held, 0);
  for (let index = 0; index < limits.scratchFilesMax; index += 1) opened(files, `tmp/${index}`);
  assert.equal(files.open(files.root, "tmp/more", writing), "insufficient-space");
  assert.equal(files.makeDirectory(files.root, "tmp/more"), "insufficient-space");
});

test("where the host has no room nothing is written", () => {
  const files = fileSystem((bytes) => bytes <= 512);
  const file = opened(files, "tmp/x");
  assert.equal(files.write(file, 0, new Uint8Array(10_000)), "insufficient-space");
  assert.equal(file.size, 0);
});

test("nothing, written beyond the end of a file, leaves it as it is", () => {
  const files = fileSystem();
  const file = opened(files, "tmp/f");
  assert.equal(files.write(file, 5_000, new Uint8Array(0)), null);
  assert.equal(file.size, 0);
});

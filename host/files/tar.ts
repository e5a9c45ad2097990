// Reads a tar archive (POSIX pax, ustar, and GNU's long names) into a tree: files and folders, nothing else.

import { limits } from "../limits.ts";
import { type FileTree, invalidFiles, text } from "./file-tree.ts";

const blockBytes = 512;
/** Room for a pax header or a long name: a path, and what else such headers say. */
const extensionBytesMax = 64 * 1024;

type Header = { readonly name: string; readonly size: number; readonly type: string };

/** Whether bytes are a tar archive by what their first header says. */
export function isTar(bytes: Uint8Array): boolean {
  return bytes.byteLength >= blockBytes && isHeader(bytes.subarray(0, blockBytes));
}

/** Adds what is in the archive; throws `invalid_files` or `files_too_large`. */
export function readTar(archive: Uint8Array, tree: FileTree): void {
  let at = 0;
  let longName: string | null = null;
  let longSize: number | null = null;
  for (;;) {
    const block = archive.subarray(at, at + blockBytes);
    if (block.byteLength < blockBytes) throw invalidFiles("", "the archive is cut short");
    at += blockBytes;
    if (block.every((byte) => byte === 0)) return;
    const header = readHeader(block);
    const size = longSize ?? header.size;
    const name = longName ?? header.name;
    if (at + size > archive.byteLength) throw invalidFiles(name, "the archive is cut short inside of it");
    const bytes = archive.subarray(at, at + size);
    at += Math.ceil(size / blockBytes) * blockBytes;
    if (header.type === "x" || header.type === "L") {
      if (size > extensionBytesMax) throw invalidFiles(header.name, "its header is too long");
      if (header.type === "L") longName = text(bytes).replace(/\0.*$/s, "");
      else {
        const fields = readPax(bytes, header.name);
        longName = fields.get("path") ?? longName;
        const paxSize = fields.get("size");
        longSize = paxSize === undefined ? null : Number(paxSize);
        if (longSize !== null && !(longSize >= 0 && longSize <= limits.filesBytesMax)) {
          throw invalidFiles(header.name, "its size is no number that can be");
        }
      }
      continue;
    }
    // A header for all entries says nothing that matters here.
    if (header.type === "g") continue;
    addEntry(tree, name, header.type, bytes);
    longName = null;
    longSize = null;
  }
}

const kinds = new Map([
  ["1", "a hard link"],
  ["2", "a symbolic link"],
  ["3", "a device"],
  ["4", "a device"],
  ["6", "a named pipe"],
]);

function addEntry(tree: FileTree, name: string, type: string, bytes: Uint8Array): void {
  const isFile = type === "0" || type === "\0" || type === "7";
  if (type === "5" || (isFile && name.endsWith("/"))) tree.addDirectory(name);
  else if (isFile) tree.addFile(name, bytes);
  else throw invalidFiles(name, `it is ${kinds.get(type) ?? "of an unknown kind"}, want files and folders`);
}

function isHeader(block: Uint8Array): boolean {
  const found = octal(block.subarray(148, 156));
  let sum = 8 * 32;
  for (const [index, byte] of block.entries()) if (index < 148 || index >= 156) sum += byte;
  return found === sum;
}

function readHeader(block: Uint8Array): Header {
  const name = field(block.subarray(0, 100));
  if (!isHeader(block)) throw invalidFiles(name.slice(0, 40), "its header is damaged");
  const size = octal(block.subarray(124, 136));
  if (size === null) throw invalidFiles(name, "its size is no number that can be");
  const isPosix = field(block.subarray(257, 263)) === "ustar" && block[262] === 0;
  const prefix = isPosix ? field(block.subarray(345, 500)) : "";
  return {
    name: prefix === "" ? name : `${prefix}/${name}`,
    size,
    type: String.fromCharCode(block[156] as number),
  };
}

/** Text up to its first NUL. */
function field(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return text(end === -1 ? bytes : bytes.subarray(0, end));
}

/** A number in octal digits; null for what is none, or is in GNU's form for sizes over 8 GiB. */
function octal(bytes: Uint8Array): number | null {
  const digits = Buffer.from(bytes)
    .toString("latin1")
    .replace(/[\0 ]+$/, "")
    .replace(/^ +/, "");
  return /^[0-7]{1,12}$/.test(digits) ? Number.parseInt(digits, 8) : null;
}

/** Records of a pax header: a length, a space, name=value, a newline. */
function readPax(bytes: Uint8Array, name: string): Map<string, string> {
  const fields = new Map<string, string>();
  let at = 0;
  while (at < bytes.byteLength) {
    const space = bytes.indexOf(0x20, at);
    const length = Number(Buffer.from(bytes.subarray(at, Math.max(at, space))).toString("latin1"));
    const record = bytes.subarray(space + 1, at + length - 1);
    const equals = record.indexOf(0x3d);
    if (space === -1 || !(length > space - at + 1) || at + length > bytes.byteLength || equals < 1) {
      throw invalidFiles(name, "its header is damaged");
    }
    fields.set(text(record.subarray(0, equals)), text(record.subarray(equals + 1)));
    at += length;
  }
  return fields;
}

// Reads a zip archive into a tree: files that are stored or deflated, and folders, nothing else. Sizes are
// those that the archive's directory gives, bounded before anything is inflated; what comes out must have them.

import { promisify } from "node:util";
import { crc32, inflateRaw } from "node:zlib";
import { type FileTree, invalidFiles, text } from "./file-tree.ts";

const inflate = promisify(inflateRaw);

const signature = { local: 0x04034b50, central: 0x02014b50, end: 0x06054b50 } as const;
const size = { local: 30, central: 46, end: 22 } as const;
const commentBytesMax = 65_535;
const method = { stored: 0, deflated: 8 } as const;
const encrypted = 1;
const fileType = { mask: 0xf000, directory: 0x4000, file: 0x8000 } as const;

type Entry = {
  readonly name: string;
  readonly nameBytes: Uint8Array;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly packedBytes: number;
  readonly bytes: number;
  /** Of Unix, where the archive has it. */
  readonly mode: number;
  readonly at: number;
};

export function isZip(bytes: Uint8Array): boolean {
  const [first, second, third = 0] = bytes;
  return first === 0x50 && second === 0x4b && (third === 3 || third === 5);
}

/** Adds what is in the archive; rejects with `invalid_files` or `files_too_large`. */
export async function readZip(archive: Uint8Array, tree: FileTree): Promise<void> {
  const data = new DataView(archive.buffer, archive.byteOffset, archive.byteLength);
  const entries = readDirectory(archive, data);
  tree.expect(
    entries.filter(({ name }) => !name.endsWith("/")).length,
    entries.reduce((sum, { bytes }) => sum + bytes, 0),
  );
  for (const entry of entries) {
    const { name, mode } = entry;
    const type = mode & fileType.mask;
    if (type !== 0 && type !== fileType.file && type !== fileType.directory) {
      throw invalidFiles(name, "it is a link or a device, want files and folders");
    }
    if (name.endsWith("/")) tree.addDirectory(name);
    else if (type === fileType.directory)
      throw invalidFiles(name, "it is a folder by its kind, a file by name");
    else tree.addFile(name, await unpacked(archive, data, entry));
  }
}

function readDirectory(archive: Uint8Array, data: DataView): Entry[] {
  const end = endOf(data);
  if (end === -1) throw invalidFiles("", "the archive is cut short, or is no zip");
  const count = data.getUint16(end + 10, true);
  let at = data.getUint32(end + 16, true);
  if (count === 0xffff || at === 0xffff_ffff)
    throw invalidFiles("", "the archive is in the form for large ones");
  const entries: Entry[] = [];
  for (let index = 0; index < count; index += 1) {
    if (at + size.central > end || data.getUint32(at, true) !== signature.central) {
      throw invalidFiles("", "the archive's directory is damaged");
    }
    const nameLength = data.getUint16(at + 28, true);
    const nameBytes = archive.subarray(at + size.central, at + size.central + nameLength);
    entries.push({
      name: text(nameBytes),
      nameBytes,
      flags: data.getUint16(at + 8, true),
      method: data.getUint16(at + 10, true),
      crc: data.getUint32(at + 16, true),
      packedBytes: data.getUint32(at + 20, true),
      bytes: data.getUint32(at + 24, true),
      mode: data.getUint32(at + 38, true) >>> 16,
      at: data.getUint32(at + 42, true),
    });
    at += size.central + nameLength + data.getUint16(at + 30, true) + data.getUint16(at + 32, true);
  }
  return entries;
}

/** Where the record that ends the archive begins; -1 when there is none. */
function endOf(data: DataView): number {
  const first = Math.max(0, data.byteLength - size.end - commentBytesMax);
  for (let at = data.byteLength - size.end; at >= first; at -= 1) {
    const comment = data.getUint32(at, true) === signature.end ? data.getUint16(at + 20, true) : -1;
    if (at + size.end + comment === data.byteLength) return at;
  }
  return -1;
}

async function unpacked(archive: Uint8Array, data: DataView, entry: Entry): Promise<Uint8Array> {
  const { name, at } = entry;
  if ((entry.flags & encrypted) !== 0) throw invalidFiles(name, "it is encrypted");
  if (at + size.local > archive.byteLength || data.getUint32(at, true) !== signature.local) {
    throw invalidFiles(name, "the archive has nothing where it should be");
  }
  const nameLength = data.getUint16(at + 26, true);
  const start = at + size.local + nameLength + data.getUint16(at + 28, true);
  const localName = archive.subarray(at + size.local, at + size.local + nameLength);
  if (Buffer.compare(localName, entry.nameBytes) !== 0) throw invalidFiles(name, "it has two names");
  const packed = archive.subarray(start, start + entry.packedBytes);
  if (packed.byteLength !== entry.packedBytes)
    throw invalidFiles(name, "the archive is cut short inside of it");
  const bytes = await inflated(packed, entry);
  if (bytes.byteLength !== entry.bytes || crc32(bytes) !== entry.crc)
    throw invalidFiles(name, "it is damaged");
  return bytes;
}

async function inflated(packed: Uint8Array, entry: Entry): Promise<Uint8Array> {
  if (entry.method === method.stored) return packed;
  if (entry.method !== method.deflated) throw invalidFiles(entry.name, "it is packed in an unknown way");
  try {
    // One byte more than it may have, which is enough to see that it has too many.
    return await inflate(packed, { maxOutputLength: entry.bytes + 1 });
  } catch {
    throw invalidFiles(entry.name, "it is damaged");
  }
}

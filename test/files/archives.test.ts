// The archives that may come beside a module: what they hold is found again, whatever their form, and what is
// hostile about them is refused by name before anything is made of it.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import { crc32, deflateRawSync, gzipSync } from "node:zlib";
import { HostError } from "../../host/errors.ts";
import { decodeTree, encodeTree, FileTree } from "../../host/files/file-tree.ts";
import { readArchive } from "../../host/files/read-archive.ts";
import { limits } from "../../host/limits.ts";
import { seeded } from "../support/seeded-random.ts";

type TarEntry = {
  readonly name: string;
  readonly type?: string;
  readonly bytes?: Buffer;
  readonly size?: number;
};

function tarEntry({ name, type = "0", bytes = Buffer.alloc(0), size = bytes.length }: TarEntry): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0, 100);
  header.write("0000644\0", 100);
  header.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  header.write(type, 156);
  header.write("ustar\0", 257);
  header.fill(0x20, 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return Buffer.concat([header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

const tar = (...entries: readonly TarEntry[]): Buffer =>
  Buffer.concat([...entries.map(tarEntry), Buffer.alloc(1_024)]);

const paxRecord = (key: string, value: string): string => {
  const rest = ` ${key}=${value}\n`;
  const length = Buffer.byteLength(rest);
  const digits = String(length + String(length).length).length;
  return `${length + digits}${rest}`;
};

type ZipEntry = {
  readonly name: string;
  readonly bytes?: Buffer;
  readonly mode?: number;
  readonly deflate?: boolean;
  /** What the archive says of it in place of the truth. */
  readonly claimed?: number;
  readonly localName?: string;
  readonly flags?: number;
  readonly crc?: number;
};

function zip(...entries: readonly ZipEntry[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const entry of entries) {
    const { bytes = Buffer.alloc(0), mode = 0o100644, deflate = false, flags = 0 } = entry;
    const packed = deflate ? deflateRawSync(bytes) : bytes;
    const name = Buffer.from(entry.name);
    const localName = Buffer.from(entry.localName ?? entry.name);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(localName.length, 26);
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt16LE(flags, 8);
    central.writeUInt16LE(deflate ? 8 : 0, 10);
    central.writeUInt32LE(entry.crc ?? crc32(bytes), 16);
    central.writeUInt32LE(packed.length, 20);
    central.writeUInt32LE(entry.claimed ?? bytes.length, 24);
    central.writeUInt16LE(name.length, 28);
    central.writeUInt32LE((mode << 16) >>> 0, 38);
    central.writeUInt32LE(at, 42);
    parts.push(local, localName, packed);
    directory.push(central, name);
    at += local.length + localName.length + packed.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, ...directory, end]);
}

const text = (bytes: Uint8Array | null): string | null => bytes && Buffer.from(bytes).toString();

async function listed(archive: Uint8Array): Promise<(readonly [string, string | null])[]> {
  return decodeTree(await readArchive(archive)).map(({ path, bytes }) => [path, text(bytes)] as const);
}

/** The code, and the entry that is named. */
async function refusal(archive: Uint8Array): Promise<[code: string, entry: unknown]> {
  try {
    await readArchive(archive);
  } catch (error) {
    assert.ok(error instanceof HostError, String(error));
    return [error.code, error.extra["entry"]];
  }
  return assert.fail("it was taken");
}

const page = Buffer.from("a page");
const wanted = [
  ["a/b.txt", "a page"],
  ["c", ""],
  ["empty", null],
] as const;
const tarOfWanted = tar(
  { name: "./", type: "5" },
  { name: "./a/", type: "5" },
  { name: "./a/b.txt", bytes: page },
  { name: "c" },
  { name: "empty/", type: "5" },
);
const forms: readonly (readonly [string, Uint8Array])[] = [
  ["tar", tarOfWanted],
  ["tar.gz", gzipSync(tarOfWanted)],
  ["zip", zip({ name: "c" }, { name: "empty/" }, { name: "a/b.txt", bytes: page })],
  ["deflated zip", zip({ name: "a/b.txt", bytes: page, deflate: true }, { name: "empty/" }, { name: "c" })],
];

for (const [form, archive] of forms) {
  test(`what a ${form} holds is found again, and its stored form is read as it was`, async () => {
    assert.deepEqual(await listed(archive), wanted);
    const stored = await readArchive(archive);
    assert.deepEqual(await readArchive(stored), stored);
    assert.deepEqual(stored, await readArchive(tarOfWanted), "the same files have the same stored form");
  });

  test(`a ${form} that is cut short anywhere is refused`, async () => {
    const step = process.env["MAYFLY_TEST_SOAK"] === undefined ? 37 : 1;
    // Of a tar the last block is padding.
    const end = form === "tar" ? archive.length - 1_024 : archive.length;
    for (let length = 1; length < end; length += step) {
      assert.equal((await refusal(archive.subarray(0, length)))[0], "invalid_files", String(length));
    }
  });

  test(`a ${form} with bytes turned is read or refused, never more`, async () => {
    const random = seeded(11);
    for (let round = 0; round < 300; round += 1) {
      const damaged = Uint8Array.from(archive);
      damaged[random() % damaged.length] = random() & 255;
      await readArchive(damaged).catch((error: unknown) =>
        assert.ok(error instanceof HostError, String(error)),
      );
    }
  });
}

test("long names are those of pax and GNU", async () => {
  const long = `${"folder/".repeat(40)}name`;
  const pax = Buffer.from(paxRecord("path", long));
  assert.deepEqual(await listed(tar({ name: "x", type: "x", bytes: pax }, { name: "cut", bytes: page })), [
    [long, "a page"],
  ]);
  const gnu = { name: "././@LongLink", type: "L", bytes: Buffer.from(`${long}\0`) };
  assert.deepEqual(await listed(tar(gnu, { name: "cut", bytes: page })), [[long, "a page"]]);
});

const hostileNames: readonly string[] = [
  "../up",
  "a/../../up",
  "/etc/passwd",
  "a//b",
  "a/./b",
  "a\\b",
  "a\nb",
  "tmp/mine",
  "tmp",
  `${"d/".repeat(70)}deep`,
  "x".repeat(256),
];

for (const name of hostileNames) {
  test(`an entry ${JSON.stringify(name.slice(0, 20))} is refused by its name`, async () => {
    for (const archive of [zip({ name }), tarOf(name)]) {
      const [code, entry] = await refusal(archive);
      assert.equal(code, "invalid_files");
      assert.equal(typeof entry === "string" && entry.length > 0, true);
    }
  });
}

const tarOf = (name: string): Buffer =>
  tar({ name: "x", type: "x", bytes: Buffer.from(paxRecord("path", name)) }, { name: "short" });

const hostile: readonly (readonly [string, Uint8Array, string])[] = [
  ["a symbolic link in a tar", tar({ name: "link", type: "2" }), "link"],
  ["a hard link in a tar", tar({ name: "link", type: "1" }), "link"],
  ["a device in a tar", tar({ name: "device", type: "3" }), "device"],
  ["a symbolic link in a zip", zip({ name: "link", mode: 0o120777, bytes: page }), "link"],
  ["two of one path", tar({ name: "same" }, { name: "./same" }), "./same"],
  ["a file that is a folder", tar({ name: "a" }, { name: "a/b" }), "a/b"],
  ["a folder that is a file", tar({ name: "a/b" }, { name: "a" }), "a"],
  ["an encrypted file", zip({ name: "secret", flags: 1 }), "secret"],
  ["two names for one file", zip({ name: "one", localName: "two" }), "one"],
  ["a wrong checksum", zip({ name: "bad", bytes: page, crc: 1 }), "bad"],
  ["more than it says", zip({ name: "bomb", bytes: Buffer.alloc(1e6), deflate: true, claimed: 10 }), "bomb"],
  ["less than it says", zip({ name: "thin", bytes: page, deflate: true, claimed: 10 }), "thin"],
];

for (const [what, archive, entry] of hostile) {
  test(`${what} is refused, and named`, async () => {
    assert.deepEqual(await refusal(archive), ["invalid_files", entry]);
  });
}

test("what is no archive is refused", async () => {
  for (const bytes of ["", "hello", "\0asm\u0001\0\0\0", "x".repeat(10_000)]) {
    assert.equal((await refusal(Buffer.from(bytes)))[0], "invalid_files");
  }
});

test("bombs are refused before they are inflated", async () => {
  const claimed = limits.filesBytesMax + 1;
  assert.equal((await refusal(zip({ name: "bomb", bytes: page, claimed })))[0], "files_too_large");
  const zeros = gzipSync(Buffer.alloc(3 * limits.filesBytesMax));
  assert.ok(zeros.length < 1_000_000);
  assert.equal((await refusal(zeros))[0], "files_too_large");
});

test("as many entries and bytes as there may be, and not one more", () => {
  const tree = new FileTree();
  for (let index = 0; index < limits.filesMax; index += 1) tree.addFile(`f${index}`, new Uint8Array(0));
  assert.throws(() => tree.addFile("more", new Uint8Array(0)), { code: "files_too_large" });
  const large = new FileTree();
  large.expect(1, limits.filesBytesMax);
  assert.throws(() => large.expect(1, limits.filesBytesMax + 1), { code: "files_too_large" });
  const paths = new FileTree();
  const part = `${"p".repeat(127)}/`.repeat(8);
  paths.addFile(`${part.slice(0, limits.filePathBytesMax - 1)}`, new Uint8Array(0));
  assert.throws(() => paths.addFile(`${part}pp`, new Uint8Array(0)), { code: "invalid_files" });
});

test("a stored form whose numbers lie is refused", async () => {
  const stored = encodeTree([{ path: "a", bytes: page }]);
  for (let at = 16; at < stored.length - page.length; at += 1) {
    const lying = Uint8Array.from(stored);
    lying[at] = 0xff;
    await readArchive(lying).catch((error: unknown) => assert.ok(error instanceof HostError, String(error)));
  }
});

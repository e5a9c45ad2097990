import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BinaryReader } from "../../host/wasm/binary-reader.ts";
import { BinaryWriter, nameBytes, u32Bytes } from "../../host/wasm/binary-writer.ts";
import { ReadFault } from "../../host/wasm/read-fault.ts";

const reader = (...bytes: number[]) => new BinaryReader(Uint8Array.from(bytes));
const fails = (read: () => unknown, message: RegExp) =>
  assert.throws(read, (error) => error instanceof ReadFault && message.test(error.message));

describe("BinaryReader", () => {
  it("reads unsigned numbers of 32 bits, also in more bytes than needed", () => {
    assert.equal(reader(0x00).u32(), 0);
    assert.equal(reader(0x7f).u32(), 127);
    assert.equal(reader(0xe5, 0x8e, 0x26).u32(), 624485);
    assert.equal(reader(0x80, 0x80, 0x80, 0x80, 0x00).u32(), 0);
    assert.equal(reader(0xff, 0xff, 0xff, 0xff, 0x0f).u32(), 2 ** 32 - 1);
  });
  it("refuses unsigned numbers with unused bits or six bytes", () => {
    fails(() => reader(0xff, 0xff, 0xff, 0xff, 0x1f).u32(), /longer than 32 bits/);
    fails(() => reader(0x80, 0x80, 0x80, 0x80, 0x80, 0x00).u32(), /longer than 32 bits/);
    fails(() => reader(0x80, 0x80).u32(), /end too early/);
  });
  it("reads signed numbers of 32 bits to both ends", () => {
    assert.equal(reader(0x7f).s32(), -1);
    assert.equal(reader(0x3f).s32(), 63);
    assert.equal(reader(0xc0, 0xbb, 0x78).s32(), -123456);
    assert.equal(reader(0x80, 0x80, 0x80, 0x80, 0x78).s32(), -(2 ** 31));
    assert.equal(reader(0xff, 0xff, 0xff, 0xff, 0x07).s32(), 2 ** 31 - 1);
    assert.equal(reader(0xff, 0xff, 0xff, 0xff, 0x7f).s32(), -1);
  });
  it("refuses signed numbers whose unused bits are no sign extension", () => {
    fails(() => reader(0x80, 0x80, 0x80, 0x80, 0x08).s32(), /longer than 32 bits/);
    fails(() => reader(0x80, 0x80, 0x80, 0x80, 0x70).s32(), /longer than 32 bits/);
    fails(() => reader(0xff, 0xff, 0xff, 0xff, 0xff, 0x7f).s32(), /longer than 32 bits/);
    for (const last of [0x10, 0x2f, 0x60]) {
      fails(() => reader(0xff, 0xff, 0xff, 0xff, last).s33(), /longer than 33 bits/);
    }
  });
  it("reads signed numbers of 33 bits to both ends", () => {
    assert.equal(reader(0x40).s33(), -64);
    assert.equal(reader(0xff, 0xff, 0xff, 0xff, 0x0f).s33(), 2 ** 32 - 1);
    assert.equal(reader(0x80, 0x80, 0x80, 0x80, 0x70).s33(), -(2 ** 32));
  });
  it("passes over signed numbers of 64 bits of at most ten bytes", () => {
    const least = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f];
    const most = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00];
    for (const bytes of [least, most, [0x05]]) {
      const passing = reader(...bytes);
      passing.skipS64();
      assert.equal(passing.remaining, 0);
    }
    const long = [...most.slice(0, 9), 0x01];
    fails(() => reader(...long).skipS64(), /longer than 64 bits/);
  });
  it("reads unsigned numbers of 64 bits of at most ten bytes", () => {
    assert.equal(reader(0x80, 0x80, 0x80, 0x80, 0x10).u64(), 2 ** 32);
    fails(() => reader(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02).u64(), /64 bits/);
  });
  it("refuses counts and lengths the remaining bytes cannot hold", () => {
    fails(() => reader(0xff, 0xff, 0xff, 0xff, 0x0f, 0x00).count(), /count of 4294967295/);
    fails(() => reader(0x02, 0x00, 0x00, 0x00).count(2), /count of 2 is announced, 3 bytes are left/);
    assert.equal(reader(0x02, 0x00, 0x00, 0x00, 0x00).count(2), 2);
    fails(() => reader(0xff, 0xff, 0xff, 0xff, 0x0f).name(), /4294967295 more bytes/);
  });
  it("never reads beyond a sub-range", () => {
    const whole = reader(1, 2, 3);
    const part = whole.sub(1);
    assert.equal(part.u8(), 1);
    fails(() => part.u8(), /end too early/);
    fails(() => part.u32(), /end too early/);
    assert.equal(whole.u8(), 2);
  });
  it("takes names only as well-formed UTF-8 and keeps a byte order mark", () => {
    assert.equal(reader(3, 0xe2, 0x82, 0xac).name(), "€");
    assert.equal(reader(3, 0xef, 0xbb, 0xbf).name(), "\ufeff");
    fails(() => reader(1, 0xff).name(), /not UTF-8/);
    fails(() => reader(3, 0xed, 0xa0, 0x80).name(), /not UTF-8/);
  });
});

describe("BinaryWriter", () => {
  it("writes numbers and names the reader reads back", () => {
    for (const value of [0, 1, 127, 128, 16383, 16384, 2 ** 31, 2 ** 32 - 1]) {
      assert.equal(new BinaryReader(u32Bytes(value)).u32(), value);
    }
    assert.equal(new BinaryReader(nameBytes("é:x")).name(), "é:x");
  });
  it("writes a section with its size", () => {
    const content = new BinaryWriter().u8(1, 2).append(Uint8Array.of(3));
    assert.deepEqual([...new BinaryWriter().section(7, content).finish()], [7, 3, 1, 2, 3]);
  });
});

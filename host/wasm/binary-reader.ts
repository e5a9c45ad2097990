// A bounds-checked cursor over the bytes of a module: LEB128 numbers, names, vectors, sub-ranges.
// Every reader of `host/wasm/` moves through it. It never copies and never allocates by a count that
// the bytes claim: a count is compared with the bytes that remain before anything is done with it.
// Spec: WebAssembly core 3.0, sections 5.2.2 (integers), 5.2.4 (names), 5.1.3 (vectors).

import { malformed } from "./read-fault.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export class BinaryReader {
  readonly bytes: Uint8Array;
  /** Offset of the next byte, from the module's start. */
  position: number;
  /** Offset just past the last byte this cursor may read. */
  end: number;

  constructor(bytes: Uint8Array, position = 0, end = bytes.length) {
    this.bytes = bytes;
    this.position = position;
    this.end = end;
  }

  get remaining(): number {
    return this.end - this.position;
  }

  u8(): number {
    if (this.position >= this.end) throw malformed("the bytes end too early", this.position);
    const byte = this.bytes[this.position] as number;
    this.position += 1;
    return byte;
  }

  /** Unsigned LEB128 of 32 bits: at most 5 bytes, unused bits zero. */
  u32(): number {
    const first = this.position < this.end ? (this.bytes[this.position] as number) : 0x80;
    if (first < 0x80) {
      this.position += 1;
      return first;
    }
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.u8();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    const last = this.u8();
    if (last > 0x0f) throw this.badNumber(32);
    return (value | (last << 28)) >>> 0;
  }

  /** Signed LEB128 of 32 bits: at most 5 bytes, unused bits a sign extension. */
  s32(): number {
    return this.signed(32, 0x78);
  }

  /** Signed LEB128 of 33 bits, as block types and heap types are: as `s32`. */
  s33(): number {
    return this.signed(33, 0x70);
  }

  /** Moves past a signed LEB128 of 64 bits: at most 10 bytes. */
  skipS64(): void {
    for (let length = 1; length < 10; length += 1) {
      if (this.u8() < 0x80) return;
    }
    const last = this.u8();
    if (last !== 0 && last !== 0x7f) throw this.badNumber(64);
  }

  /** Unsigned LEB128 of 64 bits as a plain number, exact below 2^53: at most 10 bytes. */
  u64(): number {
    let value = 0;
    for (let power = 0; power < 63; power += 7) {
      const byte = this.u8();
      value += (byte & 0x7f) * 2 ** power;
      if (byte < 0x80) return value;
    }
    const last = this.u8();
    if (last > 1) throw this.badNumber(64);
    return value + last * 2 ** 63;
  }

  /** Moves past `count` bytes. */
  skip(count: number): void {
    if (count > this.remaining) {
      throw malformed(`${count} more bytes are announced, ${this.remaining} are left`, this.position);
    }
    this.position += count;
  }

  /**
   * The length of a vector whose elements take at least `elementBytesMin` bytes each. A length the
   * remaining bytes cannot hold is malformed, so the caller may loop to it.
   */
  count(elementBytesMin = 1): number {
    const offset = this.position;
    const count = this.u32();
    if (count * elementBytesMin > this.remaining) {
      throw malformed(`a count of ${count} is announced, ${this.remaining} bytes are left`, offset);
    }
    return count;
  }

  /** A cursor over the next `length` bytes; this one moves past them. */
  sub(length: number): BinaryReader {
    const start = this.position;
    this.skip(length);
    return new BinaryReader(this.bytes, start, this.position);
  }

  /** A name: its length in bytes, then well-formed UTF-8 (spec 5.2.4). */
  name(): string {
    const length = this.u32();
    const start = this.position;
    this.skip(length);
    try {
      return utf8.decode(this.bytes.subarray(start, this.position));
    } catch {
      throw malformed("a name is not UTF-8", start);
    }
  }

  /** `signBits`: of the fifth byte, the sign bit and the unused bits above it, which must be all alike. */
  private signed(bits: number, signBits: number): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.u8();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (value << (25 - shift)) >> (25 - shift);
    }
    const last = this.u8();
    const sign = last & signBits;
    if (last > 0x7f || (sign !== 0 && sign !== signBits)) throw this.badNumber(bits);
    const high = ((last & 0x1f) << 27) >> 27;
    return high * 2 ** 28 + value;
  }

  private badNumber(bits: number): Error {
    return malformed(`a LEB128 number is longer than ${bits} bits`, this.position - 1);
  }
}

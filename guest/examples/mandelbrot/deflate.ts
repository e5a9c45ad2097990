// A small zlib compressor (RFC 1950, RFC 1951): one block with the fixed codes, in which a run of
// equal bytes is "copy from one byte back". Enough for pictures with large even areas.

import { Bytes } from "./bytes";

const RUN_MIN = 3;
const RUN_MAX = 258;
const END_OF_BLOCK = 256;

// RFC 1951, section 3.2.5: the shortest run of each length code from 257 on, and its extra bits.
const RUN_BASE: StaticArray<i32> = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195,
  227, 258,
];
const RUN_EXTRA: StaticArray<i32> = [
  0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
];

/** The bytes as a zlib stream. */
export function deflate(input: Uint8Array): Uint8Array {
  const out = new BitWriter(input.length / 2 + 64);
  out.bytes.push(0x78); // deflate with a window of 32 KiB
  out.bytes.push(0x01); // no dictionary, fastest; makes the pair a multiple of 31
  out.write(1, 1); // the last block
  out.write(1, 2); // with the fixed codes
  let at = 0;
  while (at < input.length) {
    const run = at > 0 ? runLength(input, at) : 0;
    if (run >= RUN_MIN) {
      writeRun(out, run);
      at += run;
    } else {
      writeSymbol(out, input[at++]);
    }
  }
  writeSymbol(out, END_OF_BLOCK);
  out.flush();
  out.bytes.pushU32(adler32(input));
  return out.bytes.toArray();
}

/** How many bytes from `at` on equal the one before. */
function runLength(input: Uint8Array, at: i32): i32 {
  const end = min(at + RUN_MAX, input.length);
  const byte = input[at - 1];
  let next = at;
  while (next < end && input[next] === byte) next++;
  return next - at;
}

function writeRun(out: BitWriter, length: i32): void {
  let code = RUN_BASE.length - 1;
  while (RUN_BASE[code] > length) code--;
  writeSymbol(out, 257 + code);
  out.write(length - RUN_BASE[code], RUN_EXTRA[code]);
  out.writeCode(0, 5); // the distance 1
}

/** The fixed code of a byte, a length code or the end (RFC 1951, section 3.2.6). */
function writeSymbol(out: BitWriter, symbol: i32): void {
  if (symbol < 144) out.writeCode(0x30 + symbol, 8);
  else if (symbol < 256) out.writeCode(0x190 + symbol - 144, 9);
  else if (symbol < 280) out.writeCode(symbol - 256, 7);
  else out.writeCode(0xc0 + symbol - 280, 8);
}

function adler32(input: Uint8Array): u32 {
  let a: u32 = 1;
  let b: u32 = 0;
  for (let i = 0; i < input.length; i++) {
    a = (a + input[i]) % 65521;
    b = (b + a) % 65521;
  }
  return (b << 16) | a;
}

/** Packs bits into bytes from the lowest bit up. */
class BitWriter {
  bytes: Bytes;
  private pending: i32 = 0;
  private count: i32 = 0;

  constructor(capacity: i32) {
    this.bytes = new Bytes(capacity);
  }

  /** A number of `length` bits, its lowest bit first. */
  write(value: i32, length: i32): void {
    this.pending |= value << this.count;
    this.count += length;
    while (this.count >= 8) {
      this.bytes.push(<u8>this.pending);
      this.pending >>= 8;
      this.count -= 8;
    }
  }

  /** A Huffman code of `length` bits, its highest bit first. */
  writeCode(code: i32, length: i32): void {
    let reversed = 0;
    for (let bit = 0; bit < length; bit++) reversed |= ((code >> bit) & 1) << (length - 1 - bit);
    this.write(reversed, length);
  }

  flush(): void {
    if (this.count > 0) this.bytes.push(<u8>this.pending);
  }
}

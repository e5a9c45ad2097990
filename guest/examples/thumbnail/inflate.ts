// Undoes zlib's compression (RFC 1950, RFC 1951). The size of what comes out is known beforehand: whatever
// would be longer, or is not as the format has it, is refused.

const CODE_BITS_MAX = 15;

// RFC 1951, section 3.2.5: the shortest run of each length code from 257 on, and its extra bits; the same
// of distances.
const RUN_BASE: StaticArray<i32> = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195,
  227, 258,
];
const RUN_EXTRA: StaticArray<i32> = [
  0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
];
const DISTANCE_BASE: StaticArray<i32> = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097,
  6145, 8193, 12289, 16385, 24577,
];
const DISTANCE_EXTRA: StaticArray<i32> = [
  0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
];
// Section 3.2.7: the order in which the lengths of the codes for lengths come.
const LENGTH_ORDER: StaticArray<i32> = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** The bytes of a zlib stream, `length` of them; null when they are not as many, or it is none. */
export function inflate(input: Uint8Array, length: i32): Uint8Array | null {
  if (input.length < 6 || (input[0] & 15) !== 8 || (((<i32>input[0]) << 8) | input[1]) % 31 !== 0)
    return null;
  const inflater = new Inflater(input, length);
  return inflater.run() && inflater.written === length ? inflater.out : null;
}

/** Codes by their length and in order (section 3.2.2). */
class Huffman {
  counts: StaticArray<i32> = new StaticArray<i32>(CODE_BITS_MAX + 1);
  symbols: StaticArray<i32>;

  constructor(lengths: StaticArray<i32>, from: i32, count: i32) {
    this.symbols = new StaticArray<i32>(count);
    for (let i = 0; i < count; i++) this.counts[lengths[from + i]]++;
    this.counts[0] = 0;
    const starts = new StaticArray<i32>(CODE_BITS_MAX + 2);
    for (let bits = 1; bits <= CODE_BITS_MAX; bits++) starts[bits + 1] = starts[bits] + this.counts[bits];
    for (let i = 0; i < count; i++) {
      const bits = lengths[from + i];
      if (bits !== 0) this.symbols[starts[bits]++] = i;
    }
  }
}

class Inflater {
  out: Uint8Array;
  written: i32 = 0;
  private input: Uint8Array;
  private at: i32 = 2;
  private pending: i32 = 0;
  private pendingBits: i32 = 0;
  private failed: bool = false;

  constructor(input: Uint8Array, length: i32) {
    this.input = input;
    this.out = new Uint8Array(length);
  }

  run(): bool {
    let last = false;
    while (!last && !this.failed) {
      last = this.bits(1) === 1;
      const kind = this.bits(2);
      if (kind === 0) this.stored();
      else if (kind === 1) this.fixed();
      else if (kind === 2) this.dynamic();
      else this.failed = true;
    }
    return !this.failed;
  }

  private bits(count: i32): i32 {
    while (this.pendingBits < count) {
      if (this.at >= this.input.length) {
        this.failed = true;
        return 0;
      }
      this.pending |= (<i32>this.input[this.at++]) << this.pendingBits;
      this.pendingBits += 8;
    }
    const value = this.pending & ((1 << count) - 1);
    this.pending >>>= count;
    this.pendingBits -= count;
    return value;
  }

  private symbol(codes: Huffman): i32 {
    let code = 0;
    let first = 0;
    let index = 0;
    for (let bits = 1; bits <= CODE_BITS_MAX; bits++) {
      code |= this.bits(1);
      if (this.failed) return 0;
      const count = codes.counts[bits];
      if (code - count < first) return codes.symbols[index + (code - first)];
      index += count;
      first = (first + count) << 1;
      code <<= 1;
    }
    this.failed = true;
    return 0;
  }

  private stored(): void {
    this.pending = 0;
    this.pendingBits = 0;
    const length = this.bits(16);
    if (this.bits(16) !== (length ^ 0xffff)) this.failed = true;
    const end = this.at + length;
    if (this.failed || end > this.input.length || this.written + length > this.out.length) {
      this.failed = true;
      return;
    }
    this.out.set(this.input.subarray(this.at, end), this.written);
    this.at = end;
    this.written += length;
  }

  private fixed(): void {
    const lengths = new StaticArray<i32>(320);
    for (let i = 0; i < 288; i++) lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
    for (let i = 288; i < 320; i++) lengths[i] = 5;
    this.compressed(new Huffman(lengths, 0, 288), new Huffman(lengths, 288, 30));
  }

  private dynamic(): void {
    const literals = this.bits(5) + 257;
    const distances = this.bits(5) + 1;
    const ordered = this.bits(4) + 4;
    const lengths = new StaticArray<i32>(320);
    for (let i = 0; i < ordered; i++) lengths[LENGTH_ORDER[i]] = this.bits(3);
    const codes = new Huffman(lengths, 0, 19);
    for (let i = 0; i < 19; i++) lengths[i] = 0;
    for (let i = 0; i < literals + distances && !this.failed; ) {
      const symbol = this.symbol(codes);
      if (symbol < 16) {
        lengths[i++] = symbol;
        continue;
      }
      const repeated = symbol === 16 && i > 0 ? lengths[i - 1] : 0;
      const count = symbol === 16 ? 3 + this.bits(2) : symbol === 17 ? 3 + this.bits(3) : 11 + this.bits(7);
      if ((symbol === 16 && i === 0) || i + count > literals + distances) this.failed = true;
      else for (let end = i + count; i < end; i++) lengths[i] = repeated;
    }
    if (this.failed) return;
    this.compressed(new Huffman(lengths, 0, literals), new Huffman(lengths, literals, distances));
  }

  private compressed(literals: Huffman, distances: Huffman): void {
    while (!this.failed) {
      const symbol = this.symbol(literals);
      if (this.failed || symbol === 256) return;
      if (symbol < 256) {
        if (this.written === this.out.length) this.failed = true;
        else this.out[this.written++] = <u8>symbol;
      } else this.copy(symbol - 257, distances);
    }
  }

  /** A run of what is there already (section 3.2.3). Of the codes for lengths and distances the last two are none. */
  private copy(run: i32, distances: Huffman): void {
    if (run >= RUN_BASE.length) {
      this.failed = true;
      return;
    }
    const length = RUN_BASE[run] + this.bits(RUN_EXTRA[run]);
    const code = this.symbol(distances);
    if (this.failed || code >= DISTANCE_BASE.length) {
      this.failed = true;
      return;
    }
    const distance = DISTANCE_BASE[code] + this.bits(DISTANCE_EXTRA[code]);
    if (distance > this.written || this.written + length > this.out.length) {
      this.failed = true;
      return;
    }
    // One by one: a run may overlap what it makes.
    for (let i = 0; i < length; i++, this.written++)
      this.out[this.written] = this.out[this.written - distance];
  }
}

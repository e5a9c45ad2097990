// A growing array of bytes for what metering writes: bodies are put together from very many very
// short pieces, for which `BinaryWriter`, one object per piece, is too dear.

export class ByteBuffer {
  /** Bytes written so far. */
  length = 0;
  private bytes = new Uint8Array(1024);

  /** Empties the buffer; what was returned by `view` before must not be used any more. */
  clear(): void {
    this.length = 0;
  }

  u8(byte: number): void {
    if (this.length === this.bytes.length) this.grow(1);
    this.bytes[this.length] = byte;
    this.length += 1;
  }

  /** Unsigned LEB128 of 32 bits. */
  u32(value: number): void {
    let rest = value >>> 0;
    while (rest > 0x7f) {
      this.u8((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.u8(rest);
  }

  /** Signed LEB128 of a number from 0 to 2^31 - 1. */
  positive(value: number): void {
    let rest = value;
    while (rest > 0x3f) {
      this.u8((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.u8(rest);
  }

  /** The bytes of `source` from `start` up to `end`. */
  copy(source: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (length <= 0) return;
    if (this.length + length > this.bytes.length) this.grow(length);
    if (length > 16) this.bytes.set(source.subarray(start, end), this.length);
    else for (let at = 0; at < length; at += 1) this.bytes[this.length + at] = source[start + at] as number;
    this.length += length;
  }

  /** What was written, without a copy. */
  view(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  /** A copy of what was written. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, this.length);
  }

  private grow(more: number): void {
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + more));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }
}

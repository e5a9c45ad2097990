// A list of bytes that grows, as an Array does, but takes one byte for each.

export class Bytes {
  length: i32 = 0;
  private data: Uint8Array;

  constructor(capacity: i32) {
    this.data = new Uint8Array(max(16, capacity));
  }

  push(byte: u8): void {
    if (this.length === this.data.length) {
      const larger = new Uint8Array(this.data.length * 2);
      larger.set(this.data);
      this.data = larger;
    }
    this.data[this.length++] = byte;
  }

  /** Adds four bytes, the highest first, as PNG and zlib have it. */
  pushU32(value: u32): void {
    this.push(<u8>(value >> 24));
    this.push(<u8>(value >> 16));
    this.push(<u8>(value >> 8));
    this.push(<u8>value);
  }

  at(index: i32): u8 {
    return this.data[index];
  }

  toArray(): Uint8Array {
    return this.data.subarray(0, this.length);
  }
}

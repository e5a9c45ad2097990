// Puts a module together from pieces: sub-ranges of the uploaded bytes and small new ones. Pieces
// are joined once at the end, into an array of the exact size; nothing is copied before.

/** Unsigned LEB128 of 32 bits in the fewest bytes (spec 5.2.2). */
export function u32Bytes(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value >>> 0;
  do {
    const low = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest === 0 ? low : low | 0x80);
  } while (rest !== 0);
  return Uint8Array.from(bytes);
}

/** A name: length in bytes, then UTF-8 (spec 5.2.4). */
export function nameBytes(name: string): Uint8Array {
  const bytes = new TextEncoder().encode(name);
  return new BinaryWriter().u32(bytes.length).append(bytes).finish();
}

export class BinaryWriter {
  /** Bytes appended so far. */
  length = 0;
  private readonly pieces: Uint8Array[] = [];

  /** Appends `piece` by reference: it must not change before `finish`. */
  append(piece: Uint8Array): this {
    if (piece.length > 0) this.pieces.push(piece);
    this.length += piece.length;
    return this;
  }

  u8(...bytes: number[]): this {
    return this.append(Uint8Array.from(bytes));
  }

  u32(value: number): this {
    return this.append(u32Bytes(value));
  }

  /** Appends the pieces of another writer, preceded by their total length in bytes. */
  sized(content: BinaryWriter): this {
    this.u32(content.length);
    for (const piece of content.pieces) this.append(piece);
    return this;
  }

  /** Appends a section: id, size, content (spec 5.5.2). */
  section(id: number, content: BinaryWriter): this {
    return this.u8(id).sized(content);
  }

  /** All pieces joined. */
  finish(): Uint8Array<ArrayBuffer> {
    const joined = new Uint8Array(this.length);
    let position = 0;
    for (const piece of this.pieces) {
      joined.set(piece, position);
      position += piece.length;
    }
    return joined;
  }
}

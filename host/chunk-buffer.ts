// Gathers the bytes of one stream for the way to another thread: what is written in small pieces goes
// in few messages, and a full buffer is moved, not copied, and comes back when its bytes have been taken.
// Both sides use it, the worker for answers and the main thread for requests.

/** Size of a full buffer, and of what is sent at most in one message. */
export const chunkBytes = 65_536;
/** What one stream may have sent and not been told to be taken. */
export const windowBytes = 4 * chunkBytes;
/** Smaller ones are copied: moving has a fixed price. */
const movedBytesMin = 16_384;
const firstBytes = 1_024;

const none = new Uint8Array(0);

export class ChunkBuffer {
  #bytes: Uint8Array<ArrayBuffer> = none;
  #length = 0;
  /** Buffers that came back. */
  readonly #spare: ArrayBuffer[] = [];

  get length(): number {
    return this.#length;
  }

  get isFull(): boolean {
    return this.#length === chunkBytes;
  }

  /** Takes in as many bytes as there is room for; their number. */
  add(bytes: Uint8Array): number {
    const taken = Math.min(bytes.byteLength, chunkBytes - this.#length);
    const length = this.#length + taken;
    if (length > this.#bytes.byteLength) this.#grow(length);
    this.#bytes.set(taken === bytes.byteLength ? bytes : bytes.subarray(0, taken), this.#length);
    this.#length = length;
    return taken;
  }

  /** What has been gathered, in memory of its own; nothing is left. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = this.#bytes.subarray(0, this.#length);
    const isMoved = this.#length >= movedBytesMin;
    this.#bytes = none;
    this.#length = 0;
    return isMoved ? taken : taken.slice();
  }

  /**
   * A buffer whose bytes have been taken is used again, by the same stream alone. `keepsOne`: no more are
   * under way, and a stream that is at rest holds no more than one.
   */
  giveBack(buffer: ArrayBuffer, keepsOne: boolean): void {
    if (buffer.byteLength === chunkBytes) this.#spare.push(buffer);
    // Freed now: V8 would let 64 MB of it come together before it looks.
    if (keepsOne) for (const spare of this.#spare.splice(1)) spare.transfer(0);
  }

  #grow(length: number): void {
    const spare = length > chunkBytes / 4 ? this.#spare.pop() : undefined;
    const size =
      length > chunkBytes / 4 ? chunkBytes : Math.max(length, 2 * this.#bytes.byteLength, firstBytes);
    const larger = new Uint8Array(spare ?? new ArrayBuffer(size));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

/** What of a chunk's memory is moved with it: a small one is copied. */
export function movedWith({ buffer, byteLength }: Uint8Array<ArrayBuffer>): ArrayBuffer[] {
  return byteLength >= movedBytesMin ? [buffer] : [];
}

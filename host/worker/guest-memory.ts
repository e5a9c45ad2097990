// Every look into a guest's memory goes through here: pointers and lengths come from hostile code.
// A pointer is read as unsigned; a range that leaves the memory is a GuestFault, and whether the buffer is
// still the memory's is looked at with each use: the guest may have grown it (docs/threat-model.md C1-C5).

import type { GuestFaultCode } from "../invocation.ts";
import { limits } from "../limits.ts";

/** The guest broke the rules of the ABI; ends the call with `code`. */
export class GuestFault extends Error {
  readonly code: GuestFaultCode;

  constructor(code: GuestFaultCode, message: string) {
    super(message);
    this.code = code;
  }
}

export class GuestMemory {
  /** Bytes that host calls have looked at since somebody last made it 0. */
  moved = 0;
  readonly #memory: WebAssembly.Memory;
  #known = new Uint8Array(0);
  /** Of the buffer it has now; another one once it has grown. */
  #whole: DataView<ArrayBuffer> | null = null;

  constructor(memory: WebAssembly.Memory) {
    this.#memory = memory;
  }

  /** All of it, valid until the guest runs again. Asking the memory for its buffer is dear. */
  get bytes(): Uint8Array<ArrayBuffer> {
    // A memory that grows detaches its buffer, which then has no length.
    if (this.#known.byteLength > 0) return this.#known;
    const bytes = new Uint8Array(this.#memory.buffer as ArrayBuffer);
    // A shared one stays as it is, and shorter than the memory.
    if (this.#memory.buffer instanceof ArrayBuffer) this.#known = bytes;
    return bytes;
  }

  /** A view of `[pointer, pointer + length)`, valid until the guest runs again. */
  view(pointer: number, length: number): Uint8Array<ArrayBuffer> {
    const start = pointer >>> 0;
    const count = length >>> 0;
    const { bytes } = this;
    assertInside(bytes, start, count);
    this.moved += count;
    return bytes.subarray(start, start + count);
  }

  /** Writes `source` at `pointer`. */
  write(pointer: number, source: Uint8Array): void {
    const start = pointer >>> 0;
    const { bytes } = this;
    assertInside(bytes, start, source.byteLength);
    this.moved += source.byteLength;
    bytes.set(source, start);
  }

  u8(pointer: number): number {
    return this.#data(pointer, 1).getUint8(pointer >>> 0);
  }

  u16(pointer: number): number {
    return this.#data(pointer, 2).getUint16(pointer >>> 0, true);
  }

  u32(pointer: number): number {
    return this.#data(pointer, 4).getUint32(pointer >>> 0, true);
  }

  u64(pointer: number): bigint {
    return this.#data(pointer, 8).getBigUint64(pointer >>> 0, true);
  }

  setU32(pointer: number, value: number): void {
    this.#data(pointer, 4).setUint32(pointer >>> 0, value, true);
  }

  setU64(pointer: number, value: bigint): void {
    this.#data(pointer, 8).setBigUint64(pointer >>> 0, value, true);
  }

  /** All of it, once `[pointer, pointer + bytes)` is known to lie inside. */
  #data(pointer: number, count: number): DataView<ArrayBuffer> {
    const { bytes } = this;
    assertInside(bytes, pointer >>> 0, count);
    if (this.#whole?.buffer !== bytes.buffer) this.#whole = new DataView(bytes.buffer);
    return this.#whole;
  }

  /**
   * A copy of the range, in `room` when it fits there; `lengthMax` in bytes is checked before anything
   * is allocated.
   */
  copy(pointer: number, length: number, lengthMax: number, what: string): Uint8Array<ArrayBuffer>;
  copy(pointer: number, length: number, lengthMax: number, what: string, room: Uint8Array | null): Uint8Array;
  copy(
    pointer: number,
    length: number,
    lengthMax: number,
    what: string,
    room: Uint8Array | null = null,
  ): Uint8Array {
    const bytes = length >>> 0;
    if (bytes > lengthMax) {
      throw new GuestFault("bad_guest_output", `${what} has ${bytes} bytes, limit is ${lengthMax}`);
    }
    const view = this.view(pointer, bytes);
    if (room === null || bytes > room.byteLength) return view.slice();
    room.set(view);
    return room.subarray(0, bytes);
  }

  /** Text in UTF-8, with U+FFFD for what is not; cut after `limits.hostCallBytesMax` bytes. */
  text(pointer: number, length: number): string {
    const view = this.view(pointer, length).subarray(0, limits.hostCallBytesMax);
    return Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString("utf8");
  }

  /** An AssemblyScript string: UTF-16LE, its length in bytes in the four bytes before it; 0 is "". */
  assemblyScriptString(pointer: number): string {
    const start = pointer >>> 0;
    if (start === 0) return "";
    if (start < 4) throw new GuestFault("bad_guest_output", `no string can be at ${start}`);
    const header = this.view(start - 4, 4);
    const length = new DataView(header.buffer, header.byteOffset, 4).getUint32(0, true);
    const view = this.view(start, length).subarray(0, limits.hostCallBytesMax & ~1);
    return Buffer.from(view.buffer, view.byteOffset, view.byteLength & ~1).toString("utf16le");
  }
}

function assertInside({ byteLength }: Uint8Array, start: number, count: number): void {
  if (start + count <= byteLength) return;
  throw new GuestFault(
    "bad_guest_output",
    `a pointer leaves the memory: ${start} + ${count}, memory has ${byteLength} bytes`,
  );
}

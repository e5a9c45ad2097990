// Every look into a guest's memory goes through here: pointers and lengths come from hostile code.
// A pointer is read as unsigned; a range that leaves the memory is a GuestFault, and the buffer is
// fetched anew at each use, because the guest may have grown it (docs/threat-model.md C1-C5).

import { limits } from "../limits.ts";

/** The guest broke the rules of the ABI; ends the call with `code`. */
export class GuestFault extends Error {
  readonly code: "bad_guest_output" | "guest_trapped";

  constructor(code: "bad_guest_output" | "guest_trapped", message: string) {
    super(message);
    this.code = code;
  }
}

export class GuestMemory {
  readonly #memory: WebAssembly.Memory;

  constructor(memory: WebAssembly.Memory) {
    this.#memory = memory;
  }

  /** A view of `[pointer, pointer + length)`, valid until the guest runs again. */
  view(pointer: number, length: number): Uint8Array<ArrayBuffer> {
    const start = pointer >>> 0;
    const bytes = length >>> 0;
    const buffer = this.#memory.buffer as ArrayBuffer;
    if (start + bytes > buffer.byteLength) {
      throw new GuestFault(
        "bad_guest_output",
        `a pointer leaves the memory: ${start} + ${bytes}, memory has ${buffer.byteLength} bytes`,
      );
    }
    return new Uint8Array(buffer, start, bytes);
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

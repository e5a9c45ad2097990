// Which version each thread runs, kept in a file, so that the next host process can tell who held a
// thread when this one died (docs/architecture.md, quarantine). A write of eight bytes into the page cache takes
// about 1 us and outlives the process; the slot is cleared only when the thread falls idle.

import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { threadSlotsMax } from "./protocol.ts";

const slotBytes = 8;

export class RunningRecord {
  readonly #descriptor: number | null;
  readonly #position: number;
  readonly #cell = new DataView(new ArrayBuffer(slotBytes));
  #written = 0;
  #clearing = false;

  /** `file` "" keeps no record. */
  constructor(slot: number, file: string) {
    this.#descriptor = file === "" ? null : openSync(file, "r+");
    this.#position = slot * slotBytes;
  }

  begin(versionId: number): void {
    this.#write(versionId);
  }

  /** The call is over; the slot is cleared unless another call of the version begins at once. */
  end(): void {
    if (this.#clearing) return;
    this.#clearing = true;
    setImmediate(() => {
      this.#clearing = false;
      this.#write(0);
    });
  }

  #write(versionId: number): void {
    if (this.#descriptor === null || this.#written === versionId) return;
    this.#written = versionId;
    this.#cell.setFloat64(0, versionId, true);
    writeSync(this.#descriptor, new Uint8Array(this.#cell.buffer), 0, slotBytes, this.#position);
  }
}

/** Claims a thread's slot: the first free cell of the shared table. */
export function takeThreadSlot(slots: Int32Array<SharedArrayBuffer>, threadId: number): number {
  for (let slot = 0; slot < slots.length; slot += 1) {
    if (Atomics.compareExchange(slots, slot, 0, threadId) === 0) return slot;
  }
  throw new Error(`More than ${slots.length} threads`);
}

/** Frees the slot of a thread that has ended and clears its record: its version is no suspect. */
export function releaseThreadSlot(
  slots: Int32Array<SharedArrayBuffer>,
  threadId: number,
  file: string,
): void {
  const slot = slots.indexOf(threadId);
  if (slot === -1) return;
  if (file !== "") {
    const descriptor = openSync(file, "r+");
    try {
      writeSync(descriptor, new Uint8Array(slotBytes), 0, slotBytes, slot * slotBytes);
    } finally {
      closeSync(descriptor);
    }
  }
  Atomics.store(slots, slot, 0);
}

/** The ids of the versions that held a thread when the last process ended. */
export function readRunning(file: string): number[] {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    bytes = Buffer.alloc(0);
  }
  const ids = new Set<number>();
  for (let offset = 0; offset + slotBytes <= bytes.length; offset += slotBytes) {
    const id = bytes.readDoubleLE(offset);
    if (Number.isSafeInteger(id) && id > 0) ids.add(id);
  }
  return [...ids];
}

/** Makes the record empty: nothing runs. */
export function clearRunning(file: string): void {
  writeFileSync(file, Buffer.alloc(threadSlotsMax * slotBytes));
}

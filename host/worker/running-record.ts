// Which version each thread runs, kept in a file, so that the next host process can tell who held a
// thread when this one died (docs/architecture.md, quarantine). A write of eight bytes into the page
// cache takes about 1 us and outlives the process; the cell is cleared only when the thread falls idle.
//
//   cell 0      not 0: the process expected to end, and no guest is to blame
//   cell 1...   one a thread slot: the id of the version that runs there, or 0

import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { threadSlotsMax } from "./protocol.ts";

const cellBytes = 8;
const cellOf = (slot: number): number => (slot + 1) * cellBytes;

export class RunningRecord {
  readonly #descriptor: number | null;
  readonly #position: number;
  readonly #restMs: number;
  readonly #cell = new DataView(new ArrayBuffer(cellBytes));
  #written = 0;
  #clearing = false;

  /** `file` "" keeps no record; `restMs` as in `end`. */
  constructor(slot: number, file: string, restMs = 0) {
    this.#restMs = restMs;
    this.#descriptor = file === "" ? null : openSync(file, "r+");
    this.#position = cellOf(slot);
  }

  begin(versionId: number): void {
    this.#write(versionId);
  }

  /** The call is over; the slot is cleared in the next turn of the event loop, or `restMs` later. */
  end(): void {
    if (this.#clearing) return;
    this.#clearing = true;
    const clear = (): void => {
      this.#clearing = false;
      this.#write(0);
    };
    if (this.#restMs === 0) setImmediate(clear);
    else setTimeout(clear, this.#restMs).unref();
  }

  #write(versionId: number): void {
    if (this.#descriptor === null || this.#written === versionId) return;
    this.#written = versionId;
    this.#cell.setFloat64(0, versionId, true);
    writeSync(this.#descriptor, new Uint8Array(this.#cell.buffer), 0, cellBytes, this.#position);
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
  if (file !== "") writeCell(file, cellOf(slot), new Uint8Array(cellBytes));
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
  if (bytes.length >= cellBytes && bytes.readDoubleLE(0) !== 0) return [];
  const ids = new Set<number>();
  for (let offset = cellBytes; offset + cellBytes <= bytes.length; offset += cellBytes) {
    const id = bytes.readDoubleLE(offset);
    if (Number.isSafeInteger(id) && id > 0) ids.add(id);
  }
  return [...ids];
}

/** Notes that the process ends by its own or its owner's will, whatever runs at that moment. */
export function markExpectedEnd(file: string): void {
  try {
    writeCell(file, 0, new Uint8Array(new Float64Array([1]).buffer));
  } catch {
    // Where no record can be written there is none to be read wrongly, and the end must not wait.
  }
}

/** Makes the record empty: nothing runs. */
export function clearRunning(file: string): void {
  writeFileSync(file, Buffer.alloc((threadSlotsMax + 1) * cellBytes));
}

function writeCell(file: string, position: number, bytes: Uint8Array): void {
  const descriptor = openSync(file, "r+");
  try {
    writeSync(descriptor, bytes, 0, cellBytes, position);
  } finally {
    closeSync(descriptor);
  }
}

// Shared memory by which the requests and answers of most calls go between the main thread and the
// others: what is posted is then a number. Cloning a message and its buffer costs both sides more than
// the rest of a call (bench/throughput.ts). A box is one call's from when it is posted until the thread
// is done with it; who is told its number by a message reads what the other side wrote before.

import type { Timings } from "../invocation.ts";

const boxBytes = 4_096;
const numberBytes = 8;
const numbersPerBox = boxBytes / numberBytes;

/** Numbers at the start of a box. */
const cell = {
  slot: 0,
  key: 1,
  request: 2,
  answer: 3,
  begunAt: 4,
  instantiate: 5,
  run: 6,
  cpu: 7,
  wait: 8,
  pageMs: 9,
  hostCalls: 10,
} as const;
const headBytes = Object.keys(cell).length * numberBytes;

/** Size of the longest message that a box has room for, in either direction. */
export const boxedBytesMax = Math.floor((boxBytes - headBytes) / 2);

/** What there is for all threads together, 4 MiB at most: of boxes that are not used no page exists. */
export const boxesMax = 1_024;

export type BoxedAnswer = {
  readonly message: Uint8Array<ArrayBuffer>;
  readonly begunAtMs: number;
  readonly timings: Timings;
};

export class Mailbox {
  readonly memory: SharedArrayBuffer;
  readonly #bytes: Buffer;
  readonly #numbers: Float64Array;

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(boxesMax * boxBytes)) {
    this.memory = memory;
    this.#bytes = Buffer.from(memory);
    this.#numbers = new Float64Array(memory);
  }

  /** Puts a call in; `message` has at most `boxedBytesMax` bytes. */
  putCall(box: number, slot: number, key: number, message: Uint8Array): void {
    const first = box * numbersPerBox;
    this.#numbers[first + cell.slot] = slot;
    this.#numbers[first + cell.key] = key;
    this.#numbers[first + cell.request] = message.byteLength;
    this.#bytes.set(message, box * boxBytes + headBytes);
  }

  slot(box: number): number {
    return this.#number(box, cell.slot);
  }

  key(box: number): number {
    return this.#number(box, cell.key);
  }

  /** The request message: a view, good until the call is answered. */
  request(box: number): Uint8Array {
    return new Uint8Array(this.memory, box * boxBytes + headBytes, this.#number(box, cell.request));
  }

  /** Where an answer is put that has room there. */
  answerRoom(box: number): Uint8Array {
    return new Uint8Array(this.memory, box * boxBytes + headBytes + boxedBytesMax, boxedBytesMax);
  }

  /** Puts the rest to an answer whose message lies in the box's room for it. */
  putAnswer(box: number, bytes: number, begunAtMs: number, timings: Timings): void {
    const first = box * numbersPerBox;
    this.#numbers[first + cell.answer] = bytes;
    this.#numbers[first + cell.begunAt] = begunAtMs;
    this.#numbers[first + cell.instantiate] = timings.instantiate ?? 0;
    this.#numbers[first + cell.run] = timings.run ?? 0;
    this.#numbers[first + cell.cpu] = timings.cpu ?? 0;
    this.#numbers[first + cell.wait] = timings.wait ?? 0;
    this.#numbers[first + cell.pageMs] = timings.pageMs ?? 0;
    this.#numbers[first + cell.hostCalls] = timings.hostCalls ?? 0;
  }

  /** A copy of the answer: the box is the next call's soon. */
  answer(box: number): BoxedAnswer {
    const bytes = this.#number(box, cell.answer);
    const start = box * boxBytes + headBytes + boxedBytesMax;
    const message = Buffer.allocUnsafe(bytes);
    this.#bytes.copy(message, 0, start, start + bytes);
    const timings: Timings = {
      instantiate: this.#number(box, cell.instantiate),
      run: this.#number(box, cell.run),
      cpu: this.#number(box, cell.cpu),
      pageMs: this.#number(box, cell.pageMs),
      hostCalls: this.#number(box, cell.hostCalls),
    };
    const wait = this.#number(box, cell.wait);
    if (wait > 0) timings.wait = wait;
    return { message, begunAtMs: this.#number(box, cell.begunAt), timings };
  }

  #number(box: number, index: number): number {
    return this.#numbers[box * numbersPerBox + index] as number;
  }
}

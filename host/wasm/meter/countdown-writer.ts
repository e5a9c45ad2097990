// Writes the instructions of the countdown itself: take off, ask, hand on. The countdown is between 0
// and a full one wherever code of the guest runs, but for what `owe` has taken off. Nothing here leaves
// anything on the operand stack, but for `get` and `leave`.

import type { ByteBuffer } from "./byte-buffer.ts";
import { growthBytes, growthFactor, memoryBulkShift, tableBulkLengthMax, tableBulkShift } from "./costs.ts";
import { isTableBulk, opcode } from "./opcode.ts";

const emptyBlock = 0x40;

/** The appended functions and the global, by their indices in the metered module. */
export type Helpers = {
  /** () -> (i32): asks whether to go on; the new countdown. */
  readonly renewFunction: number;
  /** (i32, i32) -> (i32): the countdown less an amount, renewed when need be. */
  readonly chargeFunction: number;
  readonly countdownGlobal: number;
};

/** Of one body. */
export type CountdownPlace = {
  /** The local that holds the countdown. */
  readonly countdown: number;
  /** A local for the length of bulk operations. */
  readonly length: number;
  /** Whether the countdown is in the global when the function is left. */
  readonly isStored: boolean;
  /** Size of the body as it was. */
  readonly bodyBytes: number;
};

export class CountdownWriter {
  /** Offsets of inserted `if`s from the start of the body: they are seldom taken. */
  readonly seldom: number[] = [];

  private readonly out: ByteBuffer;
  private readonly helpers: Helpers;
  private place: CountdownPlace = { countdown: 0, length: 0, isStored: false, bodyBytes: 0 };

  constructor(out: ByteBuffer, helpers: Helpers) {
    this.out = out;
    this.helpers = helpers;
  }

  begin(place: CountdownPlace): void {
    this.place = place;
  }

  /** Whether so much has been inserted that what follows is to be short rather than fast. */
  isShort(): boolean {
    return this.out.length > growthFactor * this.place.bodyBytes + growthBytes;
  }

  /** Takes `amount` off; below zero the host is asked. */
  count(amount: number): void {
    this.get();
    this.constant(amount);
    if (!this.isShort()) {
      this.subtractAndAsk();
      return;
    }
    this.indexed(opcode.call, this.helpers.chargeFunction);
    this.set();
  }

  /** Takes `amount` off; the next check on the way asks. */
  owe(amount: number): void {
    this.get();
    this.constant(amount);
    this.out.u8(opcode.i32Sub);
    this.set();
  }

  /** Asks the host in any case, and takes `amount` off the new countdown. */
  restart(amount: number): void {
    this.renew();
    this.constant(amount);
    this.out.u8(opcode.i32Sub);
    this.set();
  }

  /** Asks the host in any case: the new countdown, on the stack. */
  renew(): void {
    this.indexed(opcode.call, this.helpers.renewFunction);
  }

  /** Counts a bulk operation by its length, which is and stays on top of the stack. */
  chargeLength(instruction: number): void {
    const { length } = this.place;
    this.indexed(opcode.localTee, length);
    this.get();
    this.indexed(opcode.localGet, length);
    if (isTableBulk(instruction)) {
      // The smaller of length and tableBulkLengthMax.
      this.constant(tableBulkLengthMax);
      this.indexed(opcode.localGet, length);
      this.constant(tableBulkLengthMax);
      this.out.u8(opcode.i32LtU);
      this.out.u8(opcode.select);
      this.constant(tableBulkShift);
      this.out.u8(opcode.i32Shl);
    } else {
      this.constant(memoryBulkShift);
      this.out.u8(opcode.i32ShrU);
    }
    this.subtractAndAsk();
  }

  /** Before the function is left: the countdown goes where its caller looks for it. */
  leave(): void {
    this.get();
    if (this.place.isStored) this.indexed(opcode.globalSet, this.helpers.countdownGlobal);
  }

  /** Into the global. */
  store(): void {
    this.get();
    this.indexed(opcode.globalSet, this.helpers.countdownGlobal);
  }

  /** Out of the global. */
  load(): void {
    this.indexed(opcode.globalGet, this.helpers.countdownGlobal);
    this.set();
  }

  get(): void {
    this.indexed(opcode.localGet, this.place.countdown);
  }

  set(): void {
    this.indexed(opcode.localSet, this.place.countdown);
  }

  /** The countdown minus the amount, both on the stack; below zero it is renewed. */
  private subtractAndAsk(): void {
    const { out } = this;
    out.u8(opcode.i32Sub);
    this.indexed(opcode.localTee, this.place.countdown);
    this.constant(0);
    out.u8(opcode.i32LtS);
    this.seldom.push(out.length);
    out.u8(opcode.if);
    out.u8(emptyBlock);
    this.renew();
    this.set();
    out.u8(opcode.end);
  }

  private constant(value: number): void {
    this.out.u8(opcode.i32Const);
    this.out.positive(value);
  }

  private indexed(instruction: number, index: number): void {
    this.out.u8(instruction);
    this.out.u32(index);
  }
}

// Writes one body again: with its charges, with calls that hand the countdown on, and with indices of
// functions and locals as they are in the metered module. What is inserted leaves the operand stack
// as it found it. One object is reused for all bodies of a module.

import { memoryGrowOpcode } from "../code-section.ts";
import type { ByteBuffer } from "./byte-buffer.ts";
import type { Callees } from "./callees.ts";
import type { Charges } from "./charges.ts";
import { hostCallee, memoryGrowCost, repeatedInstructionsMax, repetitions } from "./costs.ts";
import type { CountdownWriter } from "./countdown-writer.ts";
import type { FunctionCode } from "./function-code.ts";
import { isSingleBranch } from "./function-code.ts";
import { form } from "./function-forms.ts";
import { type Loops, loopFlag } from "./loops.ts";
import { isMemoryBulk, isTableBulk, opcode, opensBlock } from "./opcode.ts";

const i32 = 0x7f;
const emptyBlock = 0x40;

/** What stays the same for all bodies of a module. */
export type Surroundings = {
  /** By function of the upload: its index in the metered module, for direct calls of the passed form. */
  readonly callTargets: Int32Array;
  /** The same for references, and for calls by the old signature: the wrapper, where there is one. */
  readonly referenceTargets: Int32Array;
  readonly forms: Uint8Array;
  readonly callees: Callees;
  readonly parameterCount: (typeIndex: number) => number;
  /** (i32) -> (i32), or -1 when memory.grow stays. */
  readonly growFunction: number;
};

/** What differs from body to body. */
export type BodyShape = {
  readonly form: number;
  readonly parameterCount: number;
  /** The block type of the function's results, as bytes. */
  readonly resultBlock: Uint8Array;
};

export class BodyWriter {
  private readonly out: ByteBuffer;
  private readonly around: Surroundings;
  private readonly countdown: CountdownWriter;
  private readonly code: FunctionCode;
  private readonly charges: Charges;
  private readonly loops: Loops;
  private shape: BodyShape = {
    form: form.bare,
    parameterCount: 0,

    resultBlock: Uint8Array.of(emptyBlock),
  };
  /** Branches out of a repeated loop body lead further out by this much, beyond this depth. */
  private shift = 0;
  private shiftDepth = 0;
  private copiedTo = 0;

  constructor(
    out: ByteBuffer,
    around: Surroundings,
    countdown: CountdownWriter,
    code: FunctionCode,
    charges: Charges,
    loops: Loops,
  ) {
    this.out = out;
    this.countdown = countdown;
    this.around = around;
    this.code = code;
    this.charges = charges;
    this.loops = loops;
  }

  /** Writes the body that `code` holds, without its size. */
  write(shape: BodyShape): void {
    const { code, out } = this;
    out.clear();
    this.countdown.seldom.length = 0;
    this.shape = shape;
    if (shape.form === form.bare) {
      out.copy(code.bytes, code.start, code.offsets[0] as number);
      this.range(0, code.count);
      return;
    }
    this.declareLocals();
    if (shape.form === form.stored) this.countdown.load();
    this.charge(0);
    // What branches or falls out of the body arrives behind this block.
    out.u8(opcode.block);
    out.copy(shape.resultBlock, 0, shape.resultBlock.length);
    this.range(0, code.count);
    if (this.charges.exitIsForced) {
      this.countdown.renew();
      this.countdown.set();
    }
    this.countdown.leave();
    out.u8(opcode.end);
  }

  /** The countdown, when it is no parameter, and the length of bulk operations come behind all locals. */
  private declareLocals(): void {
    const { code, out, shape } = this;
    const isPassed = shape.form === form.passed;
    this.countdown.begin({
      countdown: isPassed ? shape.parameterCount : shape.parameterCount + code.locals,
      length: shape.parameterCount + code.locals + 1,
      isStored: !isPassed,
      bodyBytes: (code.offsets[code.count] as number) - code.start,
    });
    out.u32(code.localGroups + 1);
    out.copy(code.bytes, code.localGroupsStart, code.offsets[0] as number);
    out.u32(isPassed ? 1 : 2);
    out.u8(i32);
  }

  /** Instructions `from` up to `to`; runs that stay as they are get copied at once. */
  private range(from: number, to: number): void {
    const { code } = this;
    const isBare = this.shape.form === form.bare;
    this.copiedTo = code.offsets[from] as number;
    for (let at = from; at < to; at += 1) {
      if (!isBare && at > 0 && this.charges.before[at] !== 0) {
        this.flush(code.offsets[at] as number);
        this.charge(at);
      }
      const instruction = code.opcodes[at] as number;
      if (instruction === opcode.loop && this.isRepeated(at)) {
        this.flush(code.offsets[at] as number);
        this.repeat(at);
        at = this.loops.ends[at] as number;
        this.copiedTo = code.offsets[at + 1] as number;
      } else if (isBare ? this.rewriteBare(at, instruction) : this.rewrite(at, instruction)) {
        this.copiedTo = code.offsets[at + 1] as number;
      }
    }
    this.flush(code.offsets[to] as number);
  }

  private flush(to: number): void {
    this.out.copy(this.code.bytes, this.copiedTo, to);
    this.copiedTo = to;
  }

  /** Writes an instruction in another form; false when it is to be copied. */
  private rewriteBare(at: number, instruction: number): boolean {
    const { code, around } = this;
    const index = code.indices[at] as number;
    if (instruction === opcode.call || instruction === opcode.returnCall || instruction === opcode.refFunc) {
      this.flush(code.offsets[at] as number);
      this.indexed(instruction, around.referenceTargets[index] as number);
      return true;
    }
    return false;
  }

  private rewrite(at: number, instruction: number): boolean {
    const { code } = this;
    if (instruction >= opcode.localGet && instruction <= opcode.localTee) {
      const index = code.indices[at] as number;
      if (this.shape.form !== form.passed || index < this.shape.parameterCount) return false;
      this.flush(code.offsets[at] as number);
      this.indexed(instruction, index + 1);
      return true;
    }
    if (instruction > opcode.refFunc) {
      if (isMemoryBulk(instruction) || isTableBulk(instruction)) {
        this.flush(code.offsets[at] as number);
        this.countdown.chargeLength(instruction);
      } else if (isSingleBranch(instruction)) return this.rewriteBranch(at);
      return false;
    }
    if (instruction >= opcode.br && instruction <= opcode.returnCallRef) {
      if (instruction > opcode.return) return this.rewriteCall(at, instruction);
      if (instruction !== opcode.return) return this.rewriteBranch(at);
      this.flush(code.offsets[at] as number);
      this.countdown.leave();
      return false;
    }
    if (instruction === opcode.rethrow) return this.rewriteBranch(at);
    if (instruction === memoryGrowOpcode) return this.rewriteGrow(at);
    return instruction === opcode.refFunc ? this.rewriteBare(at, instruction) : false;
  }

  private rewriteGrow(at: number): boolean {
    const { code, around } = this;
    this.flush(code.offsets[at] as number);
    this.countdown.count(memoryGrowCost);
    if (around.growFunction < 0) return false;
    this.indexed(opcode.call, around.growFunction);
    return true;
  }

  private rewriteCall(at: number, instruction: number): boolean {
    const { code, around, shape } = this;
    const start = code.offsets[at] as number;
    const callee = code.indices[at] as number;
    const isTail = instruction === opcode.returnCall;
    if (instruction !== opcode.call && !isTail) {
      const returns = instruction === opcode.callIndirect || instruction === opcode.callRef;
      if (returns && !around.callees.isIndirectChecked(callee)) return false;
      this.flush(start);
      this.countdown.store();
      if (!returns) return false;
      this.flush(code.offsets[at + 1] as number);
      this.countdown.load();
      return true;
    }
    this.flush(start);
    const calleeForm = around.forms[callee] as number;
    if (calleeForm === form.passed && (!isTail || shape.form === form.passed)) {
      this.countdown.get();
      this.indexed(instruction, around.callTargets[callee] as number);
      if (!isTail) this.countdown.set();
      return true;
    }
    const counts = calleeForm !== form.bare || around.callees.direct(callee) === hostCallee;
    // A tail call from here is one of a function that has the countdown in the global (`chooseForms`).
    if (counts || isTail) this.countdown.store();
    this.indexed(instruction, around.referenceTargets[callee] as number);
    if (counts && !isTail) this.countdown.load();
    return true;
  }

  /** Labels outside of a repeated loop body are further away than they were. */
  private rewriteBranch(at: number): boolean {
    if (this.shift === 0) return false;
    const { code, out } = this;
    this.flush(code.offsets[at] as number);
    const instruction = code.opcodes[at] as number;
    out.u8(instruction);
    if (instruction !== opcode.brTable) {
      out.u32(this.shifted(code.indices[at] as number));
      return true;
    }
    const labels = code.labels(at);
    out.u32(labels.length - 1);
    for (const depth of labels) out.u32(this.shifted(depth));
    return true;
  }

  private shifted(depth: number): number {
    return depth > this.shiftDepth ? depth + this.shift : depth;
  }

  /** A small loop without loops, checked calls and charges in it, whose label takes no values. */
  private isRepeated(at: number): boolean {
    if (this.loops.flags[at] !== loopFlag.repeats || this.shape.form === form.bare) return false;
    if (this.countdown.isShort()) return false;
    const { code, charges } = this;
    const end = this.loops.ends[at] as number;
    if (end - at > repeatedInstructionsMax) return false;
    for (let inner = at + 2; inner <= end; inner += 1) if (charges.before[inner] !== 0) return false;
    const typeIndex = code.blockTypeIndex(at);
    if (typeIndex >= 0 && this.around.parameterCount(typeIndex) > 0) return false;
    return repetitions(charges.amount(charges.before[at + 1] as number)) > 1;
  }

  /**
   * Writes the loop at `at` with its body several times, so that one charge serves several turns:
   *
   *   block $done  loop $again  CHARGE
   *     block $next  BODY, its own label being $next  br $done  end    (all but once)
   *     BODY, its own label being $again
   *   end  end
   */
  private repeat(at: number): void {
    const { code, charges, out } = this;
    const node = charges.before[at + 1] as number;
    const times = repetitions(charges.amount(node));
    const end = this.loops.ends[at] as number;
    const typeStart = (code.offsets[at] as number) + 1;
    const bodyStart = code.offsets[at + 1] as number;
    charges.before[at + 1] = 0;
    out.u8(opcode.block);
    out.copy(code.bytes, typeStart, bodyStart);
    out.u8(opcode.loop);
    out.copy(code.bytes, typeStart, bodyStart);
    this.chargeNode(node, times);
    for (let turn = 1; turn <= times; turn += 1) {
      const isLast = turn === times;
      if (!isLast) {
        out.u8(opcode.block);
        out.u8(emptyBlock);
      }
      this.turn(at + 1, end, isLast ? 1 : 2);
      if (isLast) continue;
      this.indexed(opcode.br, 2);
      out.u8(opcode.end);
    }
    out.u8(opcode.end);
    out.u8(opcode.end);
  }

  /** One copy of a loop's body, in which labels outside of the loop are `shift` further away. */
  private turn(from: number, to: number, shift: number): void {
    const { code } = this;
    let depth = 0;
    this.shift = shift;
    for (let at = from; at < to; at += 1) {
      const instruction = code.opcodes[at] as number;
      if (opensBlock(instruction)) depth += 1;
      else if (instruction === opcode.end) depth -= 1;
      this.shiftDepth = depth;
      this.range(at, at + 1);
    }
    this.shift = 0;
  }

  /** Counts what the node before the instruction `at` is to be charged. */
  private charge(at: number): void {
    this.chargeNode(this.charges.before[at] as number, 1);
  }

  private chargeNode(node: number, times: number): void {
    const { charges, countdown } = this;
    const amount = charges.amount(node) * times;
    if (charges.isForced(node)) countdown.restart(amount);
    else if (amount === 0) return;
    else if (charges.asks(node)) countdown.count(amount);
    else countdown.owe(amount);
  }

  private indexed(instruction: number, index: number): void {
    this.out.u8(instruction);
    this.out.u32(index);
  }
}

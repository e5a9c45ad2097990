// Finds, in one body, what closes each block, which loops are really repeated, and what they hold.
// A loop that no branch names runs once and is treated as a block.

import { type FunctionCode, isSingleBranch } from "./function-code.ts";
import { opcode, opensBlock } from "./opcode.ts";

/** Bits of a block; of interest for loops. */
export const loopFlag = {
  /** A branch or a catch leads to its start. */
  repeats: 1,
  /** A call in it, at any depth, runs checks of its own. */
  callsChecked: 2,
  /** A loop in it repeats. */
  hasLoop: 4,
  /** A try block of either form is in it. */
  hasTry: 8,
} as const;

const inherited = loopFlag.callsChecked | loopFlag.hasLoop | loopFlag.hasTry;

export class Loops {
  /** By instruction: `loopFlag` bits of the block it opens. */
  flags = new Uint8Array(0);
  /** By instruction: the instruction that closes the block it opens. */
  ends = new Int32Array(0);
  /** Whether any loop of the body repeats. */
  any = false;

  private readonly open: number[] = [];

  /** `isChecked` says whether the call at an instruction leads to a function with checks. */
  find(code: FunctionCode, isChecked: (instruction: number) => boolean): void {
    const { open } = this;
    if (this.flags.length < code.count) {
      this.flags = new Uint8Array(code.opcodes.length);
      this.ends = new Int32Array(code.opcodes.length);
    } else this.flags.fill(0, 0, code.count);
    this.any = false;
    for (let at = 0; at < code.count; at += 1) {
      const instruction = code.opcodes[at] as number;
      if (opensBlock(instruction)) {
        if (instruction === opcode.tryTable) this.markAll(code, code.catchLabels(at));
        open.push(at);
      } else if (instruction === opcode.end || instruction === opcode.delegate) {
        this.close(code, at);
      } else if (isSingleBranch(instruction)) {
        this.mark(code, code.indices[at] as number);
      } else if (instruction === opcode.brTable) {
        this.markAll(code, code.labels(at));
      } else if (isCall(instruction) && isChecked(at)) {
        this.flag(loopFlag.callsChecked);
      }
    }
  }

  private close(code: FunctionCode, at: number): void {
    const start = this.open.pop();
    if (start === undefined) return;
    this.ends[start] = at;
    const flags = this.flags[start] as number;
    const opened = code.opcodes[start] as number;
    let passed = flags & inherited;
    if ((flags & loopFlag.repeats) !== 0) {
      passed |= loopFlag.hasLoop;
      this.any = true;
    }
    if (opened === opcode.try || opened === opcode.tryTable) passed |= loopFlag.hasTry;
    this.flag(passed);
  }

  private flag(bits: number): void {
    const top = this.open.at(-1);
    if (top !== undefined) this.flags[top] = (this.flags[top] as number) | bits;
  }

  private markAll(code: FunctionCode, depths: readonly number[]): void {
    for (const depth of depths) this.mark(code, depth);
  }

  private mark(code: FunctionCode, depth: number): void {
    const target = this.open[this.open.length - 1 - depth];
    if (target === undefined || code.opcodes[target] !== opcode.loop) return;
    this.flags[target] = (this.flags[target] as number) | loopFlag.repeats;
  }
}

/** call, call_indirect, call_ref and their tail forms. */
export function isCall(instruction: number): boolean {
  return instruction >= opcode.call && instruction <= opcode.returnCallRef;
}

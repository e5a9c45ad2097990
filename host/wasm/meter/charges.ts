// Decides where a body counts down and by how much. Follows every way through the body once, forward:
// at each charge the longest way to the next charges is paid ahead. Charges stand at the entry, at
// the head of each loop, after each call that may have run checks, where a loop with such calls is
// left, where an exception arrives, and wherever a way has become long. Works on one body at a time.

import {
  callCost,
  checkedCallee,
  hostCallCost,
  hostCallee,
  indirectCallCost,
  instructionCost,
  stepCostMax,
  tailCostMax,
} from "./costs.ts";
import { type FunctionCode, isSingleBranch } from "./function-code.ts";
import { isCall, type Loops, loopFlag } from "./loops.ts";
import { isThrow, opcode, opensBlock } from "./opcode.ts";
import { Regions } from "./regions.ts";

/** What calls count for their caller (`callees.ts`). */
export type CallCosts = {
  direct(functionIndex: number): number;
  isIndirectChecked(typeIndex: number): boolean;
  indirectCost(typeIndex: number): number;
};

type Way = { region: number; cost: number; distance: number };

/** An open block, or the function itself. */
type Frame = {
  readonly opened: number;
  /** The instruction that opened it. */
  readonly start: number;
  /** The charge at the head of a repeating loop. */
  node: number;
  readonly loopRepeats: boolean;
  readonly callsChecked: boolean;
  /** Repeating loops open at or below this frame. */
  readonly loops: number;
  /** The way that led into it: for the other arm of an if, and on which a loop without calls is left. */
  readonly entered: Way;
  /** Ways that arrive at its end. */
  readonly arriving: Way[];
  hasElse: boolean;
  /** Its end needs a charge: an exception arrives there, or a loop with calls is left to there. */
  needsCharge: boolean;
  /** Nothing was paid ahead of what arrives at its end: it was thrown. */
  arrivesByException: boolean;
  /** The countdown there is not known, as a callee that was counting threw. */
  isForced: boolean;
  /** A call in it may throw after having counted. */
  mayLoseCount: boolean;
};

export class Charges {
  /** By instruction: the node charged just before it, or 0. */
  before = new Int32Array(0);
  /** Whether the exception's way may leave the function itself with an unknown countdown. */
  exitIsForced = false;

  private readonly regions = new Regions();
  private readonly forced = new Set<number>();
  private readonly elidable = new Set<number>();
  private readonly frames: Frame[] = [];
  private readonly repeatingLoops: Frame[] = [];
  private region = 0;
  private cost = 0;
  private distance = 0;
  private stepMax = stepCostMax;

  /** Finds the charges of `code`. */
  plan(code: FunctionCode, loops: Loops, callees: CallCosts): void {
    this.stepMax = stepCostMax;
    this.follow(code, loops, callees);
  }

  /** The longest way through a body without repeating loops and checked calls. */
  longestWay(code: FunctionCode, loops: Loops, callees: CallCosts): number {
    this.stepMax = Number.POSITIVE_INFINITY;
    this.follow(code, loops, callees);
    return this.regions.cost(this.before[0] as number);
  }

  /** What to count at a node; 0 when the charge is left out, as what follows is counted before. */
  amount(node: number): number {
    const cost = this.regions.cost(node);
    return cost <= tailCostMax && this.elidable.has(node) ? 0 : Math.max(1, cost);
  }

  /**
   * Whether the host is asked at a node when the countdown is used up. After a call it need not be
   * when each way leads to a check in any case.
   */
  asks(node: number): boolean {
    return !this.elidable.has(node) || this.regions.leaves(node);
  }

  /** Whether the countdown must be renewed at a node before it is charged. */
  isForced(node: number): boolean {
    return this.forced.has(node);
  }

  private follow(code: FunctionCode, loops: Loops, callees: CallCosts): void {
    if (this.before.length <= code.count) this.before = new Int32Array(code.opcodes.length + 1);
    else this.before.fill(0, 0, code.count + 1);
    this.regions.clear();
    this.forced.clear();
    this.elidable.clear();
    this.frames.length = 0;
    this.repeatingLoops.length = 0;
    this.exitIsForced = false;
    this.charge(0);
    this.frames.push(this.frame(opcode.block, 0, 0));
    for (let at = 0; at < code.count; at += 1) {
      const instruction = code.opcodes[at] as number;
      if (opensBlock(instruction)) this.openBlock(code, loops, at, instruction);
      else if (instruction === opcode.end || instruction === opcode.delegate) this.closeBlock(code, at);
      else if (instruction === opcode.else) this.elseArm(at);
      else if (instruction === opcode.catch || instruction === opcode.catchAll) this.catchArm(at);
      else if (this.region !== 0) this.step(code, at, instruction, callees);
    }
    this.regions.resolve();
  }

  /** An instruction that is no part of a block's frame. */
  private step(code: FunctionCode, at: number, instruction: number, callees: CallCosts): void {
    if (isCall(instruction)) {
      this.callAt(code, at, instruction, callees);
      return;
    }
    this.pay(at, instructionCost(instruction));
    if (instruction === opcode.return) this.regions.leave(this.region);
    if (isSingleBranch(instruction)) {
      this.branch(code.indices[at] as number);
      if (instruction === opcode.br) this.region = 0;
    } else if (instruction === opcode.brTable) {
      for (const depth of code.labels(at)) this.branch(depth);
      this.region = 0;
    } else if (instruction === opcode.return || instruction === opcode.unreachable || isThrow(instruction)) {
      this.region = 0;
    }
  }

  private callAt(code: FunctionCode, at: number, instruction: number, callees: CallCosts): void {
    const index = code.indices[at] as number;
    let callee = checkedCallee;
    if (instruction === opcode.call || instruction === opcode.returnCall) {
      callee = callees.direct(index);
      this.pay(at, callCost + ownCost(callee));
    } else {
      const cost = callees.indirectCost(index);
      if (!callees.isIndirectChecked(index)) callee = cost;
      this.pay(at, callCost + indirectCallCost + cost + ownCost(Math.min(callee, 0)));
      // The callee may be one without checks, so another check is not sure to follow.
      this.regions.leave(this.region);
    }
    if (callee < 0) this.top().mayLoseCount = true;
    if (isTailCall(instruction)) {
      if (callee !== checkedCallee) this.regions.leave(this.region);
      this.region = 0;
    } else if (callee === checkedCallee) this.elidable.add(this.charge(at + 1));
  }

  private openBlock(code: FunctionCode, loops: Loops, at: number, instruction: number): void {
    if (this.region !== 0) this.pay(at, instructionCost(instruction));
    const flags = loops.flags[at] as number;
    const frame = this.frame(instruction, flags, at);
    if (instruction === opcode.tryTable) {
      for (const depth of code.catchLabels(at)) {
        const target = this.frames[this.frames.length - 1 - depth];
        if (target === undefined) continue;
        target.needsCharge = true;
        target.arrivesByException = true;
      }
    }
    this.frames.push(frame);
    if (!frame.loopRepeats) return;
    this.repeatingLoops.push(frame);
    frame.node = this.charge(at + 1);
  }

  private closeBlock(code: FunctionCode, at: number): void {
    if (this.region !== 0) this.pay(at, 1);
    const frame = this.frames.pop();
    if (frame === undefined) return;
    const outer = this.frames.at(-1);
    if (outer === undefined) {
      this.exitIsForced = frame.isForced;
      if (this.region !== 0) this.regions.leave(this.region);
      for (const { region } of frame.arriving) this.regions.leave(region);
      return;
    }
    if (frame.mayLoseCount) outer.mayLoseCount = true;
    if (frame.loopRepeats) {
      this.repeatingLoops.pop();
      this.leaveLoop(frame, at);
      return;
    }
    if (frame.opened === opcode.if && !frame.hasElse) arrive(frame.arriving, frame.entered);
    if (frame.opened === opcode.tryTable && frame.mayLoseCount) this.forceCatches(code, frame.start);
    if (frame.needsCharge) this.chargeEnd(frame, at);
    else this.meet(frame);
  }

  private chargeEnd(frame: Frame, at: number): void {
    const node = this.charge(at + 1);
    if (frame.isForced) this.forced.add(node);
    else if (!frame.arrivesByException) this.elidable.add(node);
  }

  /** The fall through the end of a repeating loop. */
  private leaveLoop(frame: Frame, at: number): void {
    if (this.region === 0) return;
    if (frame.callsChecked) {
      this.leaveWithTail();
      this.elidable.add(this.charge(at + 1));
    } else this.go(frame.entered);
  }

  /** All that arrive at a block's end go on as one. */
  private meet(frame: Frame): void {
    if (this.region !== 0) arrive(frame.arriving, this.way());
    const { arriving } = frame;
    const only = arriving[0];
    if (only === undefined) {
      this.region = 0;
      return;
    }
    if (arriving.length === 1) {
      this.go(only);
      return;
    }
    const node = this.regions.add();
    this.distance = 0;
    for (const { region, cost, distance } of arriving) {
      this.regions.connect(region, cost, node);
      this.distance = Math.max(this.distance, distance);
    }
    this.region = node;
    this.cost = 0;
  }

  private elseArm(at: number): void {
    const frame = this.top();
    this.endArm(frame, at);
    frame.hasElse = true;
    this.go(frame.entered);
  }

  private catchArm(at: number): void {
    const frame = this.top();
    this.endArm(frame, at);
    const node = this.charge(at + 1);
    if (frame.mayLoseCount) this.forced.add(node);
  }

  private endArm(frame: Frame, at: number): void {
    if (this.region === 0) return;
    this.pay(at, 1);
    arrive(frame.arriving, this.way());
  }

  /** An exception out of the try_table at `start`, which ends here, arrives with an unknown countdown. */
  private forceCatches(code: FunctionCode, start: number): void {
    for (const depth of code.catchLabels(start)) {
      const target = this.frames[this.frames.length - 1 - depth];
      if (target === undefined) continue;
      if (target.loopRepeats) this.forced.add(target.node);
      else target.isForced = true;
    }
  }

  private branch(depth: number): void {
    const target = this.frames[this.frames.length - 1 - depth];
    // A branch to a repeating loop arrives at its charge.
    if (target === undefined || target.loopRepeats) return;
    const left = this.repeatingLoops[target.loops];
    if (left === undefined) arrive(target.arriving, this.way());
    else if (left.callsChecked) {
      this.leaveWithTail();
      target.needsCharge = true;
    } else arrive(target.arriving, left.entered);
  }

  private frame(opened: number, flags: number, start: number): Frame {
    const loopRepeats = opened === opcode.loop && (flags & loopFlag.repeats) !== 0;
    return {
      opened,
      start,
      node: 0,
      loopRepeats,
      callsChecked: (flags & loopFlag.callsChecked) !== 0,
      loops: this.repeatingLoops.length + (loopRepeats ? 1 : 0),
      entered: this.way(),
      arriving: [],
      hasElse: false,
      needsCharge: false,
      arrivesByException: false,
      isForced: false,
      mayLoseCount: false,
    };
  }

  /** Begins a node that is charged just before the instruction `at`. */
  private charge(at: number): number {
    this.region = this.regions.add();
    this.cost = 0;
    this.distance = 0;
    this.before[at] = this.region;
    return this.region;
  }

  /** Counts `cost` for the instruction `at`, after a new charge where the way has become long. */
  private pay(at: number, cost: number): void {
    if (this.distance > 0 && this.distance + cost > this.stepMax) this.charge(at);
    this.cost += cost;
    this.distance += cost;
    this.regions.reach(this.region, this.cost);
  }

  /** A loop with checked calls is left to where a charge may be left out: the way asks before. */
  private leaveWithTail(): void {
    this.regions.reach(this.region, this.cost + tailCostMax);
    this.regions.leave(this.region);
  }

  private way(): Way {
    return { region: this.region, cost: this.cost, distance: this.distance };
  }

  private go({ region, cost, distance }: Way): void {
    this.region = region;
    this.cost = cost;
    this.distance = distance;
  }

  private top(): Frame {
    return this.frames[this.frames.length - 1] as Frame;
  }
}

/** What a call counts for the function it calls; for one with checks, what may follow uncounted. */
function ownCost(callee: number): number {
  if (callee >= 0) return callee;
  return callee === hostCallee ? hostCallCost : tailCostMax;
}

function isTailCall(instruction: number): boolean {
  return (
    instruction === opcode.returnCall ||
    instruction === opcode.returnCallIndirect ||
    instruction === opcode.returnCallRef
  );
}

/** Adds a way; of several from one node the longest stands for all. */
function arrive(arriving: Way[], way: Way): void {
  if (way.region === 0) return;
  const last = arriving.at(-1);
  if (last === undefined || last.region !== way.region) {
    arriving.push({ ...way });
    return;
  }
  last.cost = Math.max(last.cost, way.cost);
  last.distance = Math.max(last.distance, way.distance);
}

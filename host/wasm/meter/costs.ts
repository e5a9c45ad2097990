// What instructions count, and the numbers that the bound of metering is made of. Every instruction
// counts one or more, `end` and `nop` too, so that a count is never below what an interpreter would count.

import { isBulk, isThrow, opcode } from "./opcode.ts";

/** In place of a cost: the called function has checks of its own; or it is the host's. */
export const checkedCallee = -1;
export const hostCallee = -2;

/** The countdown after a check: what may be counted until the next one. */
export const periodInstructions = 90_000;

/**
 * A function without loop, recursion and indirect call whose longest path counts at most this much has
 * no check: its callers count it. More would let callers that leave it early count too much.
 */
export const uncheckedCostMax = 100;

/** A way through a function that is longer is counted in steps of about this, not ahead at once. */
export const stepCostMax = 128;

/** What may follow a call until the function's end without being counted after the call again. */
export const tailCostMax = 4;

/** A call, besides what the called function counts. */
export const callCost = 1;
/** A call through a table or a reference: the signature is compared. */
export const indirectCallCost = 4;
/** A call of an import: the work behind it is the host's. */
export const hostCallCost = 4;
/**
 * Unwinding to a handler takes as long as so many plain instructions, about 150 ns; so does passing a
 * handler that is for others, which is why a try block counts as much where it is entered.
 */
const throwCost = 64;
/** Bulk operations, also of no length, and other calls into the engine, 12 to 45 ns. */
const engineCallCost = 16;

/** What an instruction counts that is no call and ends no block. */
export function instructionCost(instruction: number): number {
  if (instruction < opcode.localGet) {
    const unwinds = isThrow(instruction) || instruction === opcode.try || instruction === opcode.tryTable;
    return unwinds ? throwCost : 1;
  }
  if (instruction < opcode.memoryInit) return instruction === opcode.tableSet ? engineCallCost : 1;
  return isBulk(instruction) || instruction === opcode.atomicNotify ? engineCallCost : 1;
}

/** memory.grow asks the engine to map memory. */
export const memoryGrowCost = 1_000;

/** memory.fill, copy and init count one per 2^3 bytes: the widest plain store writes eight. */
export const memoryBulkShift = 3;
/** table.fill, copy, init and grow count 2^3 per element: each updates the table call_indirect reads. */
export const tableBulkShift = 3;
/** Lengths beyond it trap or fail; counting no more keeps the countdown from wrapping around. */
export const tableBulkLengthMax = 0xfffff;

/** Small innermost loops are repeated, so that one check serves several turns. */
export const repeatedCostMax = 128;
export const repeatedInstructionsMax = 128;

/** A body that has grown beyond this much, and this many times its size, is metered in a shorter, slower way. */
export const growthBytes = 4_096;
export const growthFactor = 3;

/** How often a loop's body is written, by the cost of one turn. */
export function repetitions(turnCost: number): number {
  if (turnCost <= 32) return 4;
  return turnCost <= repeatedCostMax ? 2 : 1;
}

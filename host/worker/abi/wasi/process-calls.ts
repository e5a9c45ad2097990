// Arguments, environment, clocks, randomness and the end of a program.

import { randomFillSync } from "node:crypto";
import { limits } from "../../../limits.ts";
import { call, type HostCalls } from "../host-call.ts";
import { errno } from "./errno.ts";
import { programOf } from "./program.ts";
import { writeSizes, writeStrings } from "./strings.ts";

export const clock = { realtime: 0, monotonic: 1, processCpu: 2, threadCpu: 3 } as const;

/** Whole milliseconds, as of every clock that a guest is given (docs/threat-model.md D4). */
const resolutionNs = 1_000_000n;

const nothing = (): HostCalls[string] =>
  call(["i32"], ["i32"], (state) => programOf(state).done(errno.notsup));

export const processCalls: HostCalls = {
  args_sizes_get: call(["i32", "i32"], ["i32"], (state, count: number, bytes: number) => {
    const program = programOf(state);
    writeSizes(program.memory, program.args, count, bytes);
    return program.done(errno.success);
  }),
  args_get: call(["i32", "i32"], ["i32"], (state, pointers: number, start: number) => {
    const program = programOf(state);
    writeStrings(program.memory, program.args, pointers, start);
    return program.done(errno.success);
  }),
  environ_sizes_get: call(["i32", "i32"], ["i32"], (state, count: number, bytes: number) => {
    const program = programOf(state);
    writeSizes(program.memory, program.environment, count, bytes);
    return program.done(errno.success);
  }),
  environ_get: call(["i32", "i32"], ["i32"], (state, pointers: number, start: number) => {
    const program = programOf(state);
    writeStrings(program.memory, program.environment, pointers, start);
    return program.done(errno.success);
  }),
  clock_res_get: call(["i32", "i32"], ["i32"], (state, id: number, pointer: number) => {
    const program = programOf(state);
    if (id >>> 0 > clock.threadCpu) return program.done(errno.inval);
    program.memory.setU64(pointer, resolutionNs);
    return program.done(errno.success);
  }),
  clock_time_get: call(
    ["i32", "i64", "i32"],
    ["i32"],
    (state, id: number, _precision: bigint, pointer: number) => {
      const program = programOf(state);
      if (id >>> 0 > clock.threadCpu) return program.done(errno.inval);
      const ms = id === clock.realtime ? Date.now() : program.clockMs;
      program.memory.setU64(pointer, BigInt(ms) * resolutionNs);
      return program.done(errno.success);
    },
  ),
  random_get: call(["i32", "i32"], ["i32"], (state, pointer: number, length: number) => {
    const program = programOf(state);
    const view = program.memory.view(pointer, length);
    if (view.byteLength > limits.systemRandomBytesMax) return program.done(errno.inval);
    randomFillSync(view);
    // It takes about ten times as long as moving them.
    return program.done(errno.success, 10 * view.byteLength);
  }),
  sched_yield: call([], ["i32"], (state) => programOf(state).done(errno.success)),
  proc_exit: call(["i32"], [], (state, code: number) => {
    programOf(state);
    if (state.phase === "starting") {
      throw state.fail("guest_trapped", `the start function ended itself with exit code ${code >>> 0}`);
    }
    state.exit(code >>> 0);
  }),
  proc_raise: nothing(),
};

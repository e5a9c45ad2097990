// poll_oneoff: waits until one of several things happens. Whatever can be read or written here can be so at
// once; what is waited for is the clock, and meanwhile the guest leaves its thread.

import { limits } from "../../../limits.ts";
import type { CallState } from "../../call-state.ts";
import { type HostCalls, suspendingCall } from "../host-call.ts";
import { errno } from "./errno.ts";
import { clock } from "./process-calls.ts";
import { type Program, programOf } from "./program.ts";

const subscriptionBytes = 48;
const eventBytes = 32;
const kind = { clock: 0, read: 1, write: 2 } as const;
const absolute = 1;

type Subscription = {
  readonly userdata: bigint;
  readonly kind: number;
  readonly code: number;
  /** When it happens, from now on; 0 at once. */
  readonly inMs: number;
};

function subscription(program: Program, at: number): Subscription {
  const { memory } = program;
  const userdata = memory.u64(at);
  const type = memory.u8(at + 8);
  if (type === kind.read || type === kind.write) {
    const code = program.descriptors.get(memory.u32(at + 16)) === null ? errno.badf : errno.success;
    return { userdata, kind: type, code, inMs: 0 };
  }
  const id = memory.u32(at + 16);
  if (type !== kind.clock || id > clock.threadCpu) {
    return { userdata, kind: type, code: errno.inval, inMs: 0 };
  }
  const timeoutMs = Number(memory.u64(at + 24)) / 1e6;
  const nowMs = id === clock.realtime ? Date.now() : program.clockMs;
  const inMs = (memory.u16(at + 40) & absolute) === 0 ? timeoutMs : timeoutMs - nowMs;
  return { userdata, kind: type, code: errno.success, inMs: Math.max(0, inMs) };
}

/** Writes an event for each that has happened by then, ms from now. */
function writeEvents(
  { memory }: Program,
  subscriptions: readonly Subscription[],
  byMs: number,
  events: number,
  count: number,
): void {
  const happened = subscriptions.filter(({ inMs }) => inMs <= byMs);
  for (const [index, { userdata, kind: type, code }] of happened.entries()) {
    const at = (events >>> 0) + eventBytes * index;
    memory.view(at, eventBytes).fill(0);
    memory.setU64(at, userdata);
    memory.setU32(at + 8, code | (type << 16));
    if (type !== kind.clock) memory.setU64(at + 16, 1n);
  }
  memory.setU32(count, happened.length);
}

function sleep(state: CallState, ms: number): Promise<void> {
  const { waiter } = state;
  if (state.phase !== "running" || waiter === null) {
    throw state.fail("guest_trapped", "poll_oneoff was called while the start function ran");
  }
  let timer: NodeJS.Timeout;
  const slept = new Promise<void>((resolve) => {
    // The call's own limit ends longer ones.
    timer = setTimeout(resolve, Math.min(limits.sleepMsMax, ms));
  });
  return waiter.wait(slept, () => clearTimeout(timer));
}

export const pollCalls: HostCalls = {
  poll_oneoff: suspendingCall(
    ["i32", "i32", "i32", "i32"],
    ["i32"],
    (state, pointer: number, events: number, asked: number, count: number) => {
      const program = programOf(state);
      const subscriptionsCount = asked >>> 0;
      if (subscriptionsCount === 0 || subscriptionsCount > limits.systemVectorsMax) {
        return program.done(errno.inval);
      }
      // Where nothing can be written later is found out before the wait.
      program.memory.view(events, eventBytes * subscriptionsCount);
      program.memory.u32(count);
      const subscriptions = Array.from({ length: subscriptionsCount }, (_, index) =>
        subscription(program, (pointer >>> 0) + subscriptionBytes * index),
      );
      const firstMs = Math.min(...subscriptions.map(({ inMs }) => inMs));
      const finish = (): number => {
        writeEvents(program, subscriptions, firstMs, events, count);
        return program.done(errno.success, eventBytes * subscriptionsCount);
      };
      // Also for no time: the engine suspends whoever calls this, and a guest on the main thread must not be
      // (at-once.ts). It is ended by its waiter.
      return sleep(state, firstMs).then(finish);
    },
  ),
};

// poll_oneoff: waits until one of several things happens: a time has come, the body of the request has brought
// bytes or its end, the answer's reader has taken what was written. Meanwhile the guest leaves its thread.
// Everything else can be read and written at once.

import { limits } from "../../../limits.ts";
import type { CallState, Wait } from "../../call-state.ts";
import { callThatMayWait, type HostCalls } from "../host-call.ts";
import { type Readiness, readinessOf } from "./descriptors.ts";
import { errno } from "./errno.ts";
import { clock } from "./process-calls.ts";
import { type Program, programOf } from "./program.ts";

const subscriptionBytes = 48;
const eventBytes = 32;
/** What looking at one takes, as bytes that are moved in that time. */
const subscriptionWork = 1_024;
const kind = { clock: 0, read: 1, write: 2 } as const;
const absolute = 1;
/** Of an event: the other side writes no more. */
const hangup = 1;

type Subscription = {
  readonly userdata: bigint;
  readonly kind: number;
  readonly code: number;
  /** When it happens, from when it was read on; 0 at once, never for what waits for a stream. */
  readonly inMs: number;
  /** What it waits for where that is a stream. */
  readonly stream: Readiness | null;
  /** Whether it is at the end of what can be read. */
  readonly isAtEnd: boolean;
};

function subscription(program: Program, at: number): Subscription {
  const { memory } = program;
  const userdata = memory.u64(at);
  const type = memory.u8(at + 8);
  const common = { userdata, kind: type, stream: null, isAtEnd: false };
  if (type === kind.read || type === kind.write) return ofDescriptor(program, memory.u32(at + 16), common);
  const id = memory.u32(at + 16);
  if (type !== kind.clock || id > clock.threadCpu) return { ...common, code: errno.inval, inMs: 0 };
  const timeoutMs = Number(memory.u64(at + 24)) / 1e6;
  const nowMs = id === clock.realtime ? Date.now() : program.clockMs;
  const inMs = (memory.u16(at + 40) & absolute) === 0 ? timeoutMs : timeoutMs - nowMs;
  return { ...common, code: errno.success, inMs: Math.max(0, inMs) };
}

function ofDescriptor(
  { descriptors }: Program,
  fd: number,
  common: Omit<Subscription, "code" | "inMs">,
): Subscription {
  const descriptor = descriptors.get(fd);
  if (descriptor === null) return { ...common, code: errno.badf, inMs: 0 };
  const isTurned = descriptor.kind === (common.kind === kind.read ? "sink" : "source");
  const stream = isTurned ? null : readinessOf(descriptor);
  const isAtEnd = descriptor.kind === "source" && descriptor.source.isAtEnd;
  if (stream === null || stream.isReady) return { ...common, code: errno.success, inMs: 0, isAtEnd };
  return { ...common, code: errno.success, inMs: Number.POSITIVE_INFINITY, stream };
}

/** A poll as its guest has asked for it. */
type Poll = {
  readonly program: Program;
  /** As they are now; clocks count from then on. */
  readonly read: () => readonly Subscription[];
  /** Answers with what has happened. */
  readonly answer: (happened: readonly Subscription[]) => number;
};

function pollOf(
  state: CallState,
  pointer: number,
  events: number,
  asked: number,
  count: number,
): Poll | null {
  const program = programOf(state);
  const { memory } = program;
  const length = asked >>> 0;
  if (length === 0 || length > limits.systemVectorsMax) return null;
  // Where nothing can be written later is found out before the wait.
  memory.view(events, eventBytes * length);
  memory.u32(count);
  return {
    program,
    read: () =>
      Array.from({ length }, (_, index) =>
        subscription(program, (pointer >>> 0) + subscriptionBytes * index),
      ),
    answer: (happened) => {
      for (const [index, { userdata, kind: type, code, isAtEnd }] of happened.entries()) {
        const at = (events >>> 0) + eventBytes * index;
        memory.view(at, eventBytes).fill(0);
        memory.setU64(at, userdata);
        memory.setU32(at + 8, code | (type << 16));
        if (type === kind.clock) continue;
        memory.setU64(at + 16, isAtEnd ? 0n : 1n);
        memory.setU32(at + 24, isAtEnd ? hangup : 0);
      }
      memory.setU32(count, happened.length);
      return program.done(errno.success, subscriptionWork * length);
    },
  };
}

const hasCome = ({ inMs }: Subscription): boolean => inMs === 0;

/** Until the first of them: a time, ms from now, which calls `onTime`, or a stream. */
function first(subscriptions: readonly Subscription[], ms: number, onTime: () => void): Wait {
  const { promise: done, resolve } = Promise.withResolvers<void>();
  const timed = (): void => {
    onTime();
    resolve();
  };
  // The call's own limit ends longer ones.
  const timer = setTimeout(timed, Math.min(limits.sleepMsMax, ms));
  const begun = subscriptions.flatMap(({ stream }) => (stream === null ? [] : [stream.begin()]));
  for (const { done: ready } of begun) void ready.then(resolve);
  const cancel = (): void => {
    clearTimeout(timer);
    for (const wait of begun) wait.cancel();
  };
  return { done, cancel };
}

async function wait({ program, read, answer }: Poll): Promise<number> {
  const asked = read();
  const firstMs = Math.min(...asked.map(({ inMs }) => inMs));
  let isTime = false;
  const until = first(asked, firstMs, () => {
    isTime = true;
  });
  try {
    await program.wait(until, "poll_oneoff");
  } finally {
    until.cancel();
  }
  const now = read();
  // A clock that counts from now on has begun anew there.
  const happened = now.filter(
    (subscription, index) => hasCome(subscription) || (isTime && asked[index]?.inMs === firstMs),
  );
  return answer(happened);
}

export const pollCalls: HostCalls = {
  poll_oneoff: callThatMayWait(
    (state, ...args: [number, number, number, number]) => {
      const poll = pollOf(state, ...args);
      if (poll === null) return programOf(state).done(errno.inval);
      const happened = poll.read().filter(hasCome);
      return happened.length > 0 ? poll.answer(happened) : poll.program.wouldWait();
    },
    (state, ...args: [number, number, number, number]) => {
      const poll = pollOf(state, ...args);
      return poll === null ? programOf(state).done(errno.inval) : wait(poll);
    },
  ),
};

// What a Mayfly host does instead of a window: it keeps the modules that were called last, up to a number,
// and lets the least recently called go. Replayed over the calls of all functions in their order. Pure.

import type { Replayed } from "./replay.ts";
import type { Trace } from "./trace.ts";

export type Call = { readonly at: number; readonly index: number };

/** All calls of a trace in the order of their time. */
export function callsOf({ functions }: Pick<Trace, "functions">): Call[] {
  return functions
    .flatMap(({ arrivals }, index) => arrivals.map((at): Call => ({ at, index })))
    .sort((one, other) => one.at - other.at);
}

/** Whether each call finds its module not among the `kept` that were called last. */
export function missesOf(calls: readonly Call[], kept: number): boolean[] {
  // A Map has the order in which its keys were put: the first is the one used least recently.
  const modules = new Map<number, true>();
  return calls.map(({ index }) => {
    const missed = !modules.delete(index);
    modules.set(index, true);
    if (modules.size > kept) modules.delete(modules.keys().next().value ?? index);
    return missed;
  });
}

/** Idle is a module from its call until it is let go or the trace ends; how long calls take is left out. */
export function replayLeastRecent(trace: Trace, kept: number): Replayed {
  const calls = callsOf(trace);
  const modules = new Map<number, number>();
  const coldOf = new Map<number, number>();
  const sum = { calls: calls.length, cold: 0, idleS: 0, idleMbS: 0 };
  const idle = (index: number, seconds: number): void => {
    sum.idleS += seconds;
    sum.idleMbS += seconds * (trace.functions[index]?.memoryMb ?? 0);
  };
  for (const { at, index } of calls) {
    const calledAt = modules.get(index);
    if (calledAt === undefined) {
      sum.cold += 1;
      coldOf.set(index, (coldOf.get(index) ?? 0) + 1);
    } else idle(index, at - calledAt);
    modules.delete(index);
    modules.set(index, at);
    if (modules.size > kept) {
      const [oldest = index, oldestAt = at] = modules.entries().next().value ?? [];
      idle(oldest, at - oldestAt);
      modules.delete(oldest);
    }
  }
  for (const [index, calledAt] of modules) idle(index, trace.spanS - calledAt);
  const coldShares = [...coldOf].map(
    ([index, cold]) => cold / (trace.functions[index]?.arrivals.length ?? 1),
  );
  return { ...sum, coldShares };
}

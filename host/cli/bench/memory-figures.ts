// What functions take of the host's memory: one that is deployed and not called, and one instance that
// is alive. Both are slopes: resident memory against their number, so that what the host itself holds,
// and how it grows and shrinks by itself, is no part of the figure but of its error.

import { setTimeout as sleep } from "node:timers/promises";
import { endlessCopy } from "../../wasm/copies.ts";
import { messageOf } from "../failure.ts";
import { waitFor } from "./calling.ts";
import { copiesOf } from "./copies.ts";
import { type Point, slopeOf } from "./line-fit.ts";
import { numberOption } from "./options.ts";
import { medianOf } from "./quantiles.ts";
import type { BenchRun } from "./run.ts";
import type { Target } from "./target.ts";

/** Endless calls that are started at a time, of one version: no more than a thread takes of it. */
const liveAtATime = 16;

export const instancesOption = numberOption(
  "instances",
  "instances held alive for their memory; 0 for none",
  {
    ...{ default: 96, min: 0, max: 1_024 },
  },
);
const settleMs = 200;
const startTimeoutMs = 10_000;
const entryPoint = "mayfly_handle";

export type IdleMemory = { readonly observe: (functions: number) => Promise<void> };

/**
 * Adds the figures of the host's memory and of one function that nobody calls. `observe` is one reading,
 * soon after a start of the host: its memory is the same then to a fraction of a per cent, whereas one
 * that has worked keeps garbage, which would be taken for functions.
 */
export function idleMemory({ host, recorder }: BenchRun): IdleMemory {
  const points: Point[] = [];
  const all: number[] = [];
  const empty = (): number[] => points.filter(({ x }) => x === 0).map(({ y }) => y);
  const unknown = host.own ? "/proc does not tell" : "the host does not tell";
  const ofEmpty = (name: string, read: () => readonly number[], note: string): void =>
    recorder.figure(() => ({
      ...{ name, unit: "bytes", samples: read().length },
      estimate: read().length === 0 ? null : medianOf(read()),
      note: read().length === 0 ? unknown : note,
    }));
  const when = host.own ? "just started, without functions and threads" : "before anything was deployed";
  ofEmpty("memory of the host process", empty, when);
  if (host.own) ofEmpty("memory of all its processes", () => all, "shared pages counted in each");
  recorder.figure(() => ({
    name: "memory per idle function",
    unit: "bytes",
    estimate: slopeOf(points),
    samples: points.length,
    note: noteOf(points, host.own),
  }));
  return {
    observe: async (functions) => {
      const memory = await host.memory();
      if (memory === null) return;
      points.push({ x: functions, y: memory.hostBytes });
      if (functions === 0 && memory.allBytes !== null) all.push(memory.allBytes);
    },
  };
}

function noteOf(points: readonly Point[], own: boolean): string {
  if (!own) return "measured on a host of bench's own alone";
  const { x: functions = 0 } = points.at(-1) ?? {};
  return functions === 0 ? "/proc does not tell" : `starts without and with ${functions} functions`;
}

/** Starts its own host so many times before anything is deployed, for what memory is compared with. */
export async function emptyStarts(
  { host, progress, signal }: BenchRun,
  starts: number,
  onStarted: () => Promise<void>,
): Promise<void> {
  // One that is not its own is read once, as it is.
  if (!host.own) return onStarted();
  progress.step("starting empty hosts", starts);
  for (let start = 0; start < starts; start += 1) {
    signal.throwIfAborted();
    await host.restart(withoutThreads);
    await onStarted();
    progress.done(start + 1);
  }
}

/** Flags of a host that has no thread until it is called. */
export const withoutThreads: readonly string[] = ["--min-workers", "0"];

/**
 * Adds the figure of one live instance: copies of the function that never return once they have answered
 * are called, some more at a time, and stopped. On a host of bench's own alone: they fill its threads.
 */
export async function instanceMemory(run: BenchRun, target: Target, instances: number): Promise<void> {
  const { host, recorder, progress } = run;
  const steps = Math.ceil(instances / liveAtATime);
  const points: Point[] = [];
  let why = host.own ? "not asked for" : "measured on a host of bench's own alone";
  recorder.figure(() => ({
    name: "memory per live instance",
    unit: "bytes",
    estimate: slopeOf(points),
    samples: points.length,
    note: points.length > 1 ? `readings while up to ${points.at(-1)?.x ?? 0} were alive` : why,
  }));
  if (!host.own || steps === 0) return;
  progress.step("holding instances", steps);
  try {
    why = "the run ended before";
    await observeInstances(run, target, steps, points);
  } catch (error) {
    if (run.signal.aborted) throw error;
    why = messageOf(error).split("\n")[0] ?? "";
  }
}

async function observeInstances(
  run: BenchRun,
  target: Target,
  steps: number,
  points: Point[],
): Promise<void> {
  const { host, deployments, progress, signal } = run;
  const endless = endlessCopy(await target.wasm(), entryPoint);
  if (endless === null) throw new Error(`the module has no ${entryPoint} of its own`);
  const config = { ...(await target.config()), cpuMs: 900_000, timeoutMs: 60_000 };
  const copies = await copiesOf({ ...target, wasm: async () => endless }, steps);
  const live = copies.map((copy) => ({ ...copy, config, suffix: `live-${copy.suffix}` }));
  const names: string[] = [];
  // All are there before the first reading: a deploy leaves garbage.
  await deployments.deployAll(live, signal, (name) => {
    names.push(name);
    progress.done(names.length / 2);
  });
  const caller = run.caller();
  try {
    await caller.connect(steps * liveAtATime);
    points.push(await reading(run, 0));
    for (const [step, name] of names.entries()) {
      const request = run.request(name, target);
      for (let call = 0; call < liveAtATime; call += 1) {
        // Nobody waits for the answer: the call ends with its connection.
        void caller.send(request).catch(() => {});
      }
      points.push(await reading(run, (step + 1) * liveAtATime));
      progress.done((steps + step + 1) / 2);
    }
  } finally {
    caller.close();
  }
  await waitFor(async () => (await host.gauges())?.liveCalls === 0, startTimeoutMs, signal);
}

/** The host's memory once so many calls run. */
async function reading({ host, signal }: BenchRun, alive: number): Promise<Point> {
  const isRunning = async (): Promise<boolean> => {
    const gauges = await host.gauges();
    return gauges !== null && gauges.liveCalls - gauges.waitingCalls >= alive;
  };
  if (!(await waitFor(isRunning, startTimeoutMs, signal))) throw new Error("its calls do not stay alive");
  await sleep(settleMs, undefined, { signal });
  const memory = await host.memory();
  if (memory === null) throw new Error("/proc does not tell");
  return { x: alive, y: memory.hostBytes };
}

// What functions take of the host's memory: one that is deployed and not called, and one instance that
// is alive. Both are slopes: resident memory against their number, so that what the host itself holds,
// and how it grows and shrinks by itself, is no part of the figure but of its error.

import { setTimeout as sleep } from "node:timers/promises";
import { endlessCopy } from "../../wasm/copies.ts";
import { messageOf } from "../failure.ts";
import { waitFor } from "./calling.ts";
import { assertSuccess } from "./calls.ts";
import { copiesOf } from "./copies.ts";
import { type Point, slopeOf } from "./line-fit.ts";
import { medianOf } from "./quantiles.ts";
import type { BenchRun } from "./run.ts";
import type { Target } from "./target.ts";

/** Endless calls that are started at a time: half of what two threads take of one version. */
const liveAtATime = 16;
const liveSteps = 6;
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
  const unknown = host.own ? "/proc does not tell" : "measured on a host of bench's own alone";
  const ofEmpty = (name: string, read: () => readonly number[], note: string): void =>
    recorder.figure(() => ({
      ...{ name, unit: "bytes", samples: read().length },
      estimate: read().length === 0 ? null : medianOf(read()),
      note: read().length === 0 ? unknown : note,
    }));
  ofEmpty("memory of the host process", empty, "just started, without functions and threads");
  if (host.own) ofEmpty("memory of all its processes", () => all, "shared pages counted in each");
  recorder.figure(() => ({
    name: "memory per idle function",
    unit: "bytes",
    estimate: slopeOf(points),
    samples: points.length,
    note: points.length === 0 ? unknown : `starts without and with ${points.at(-1)?.x ?? 0} functions`,
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

/** Starts its own host so many times before anything is deployed, for what memory is compared with. */
export async function emptyStarts(
  { host, progress, signal }: BenchRun,
  starts: number,
  onStarted: () => Promise<void>,
): Promise<void> {
  if (!host.own) return;
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
export async function instanceMemory(run: BenchRun, target: Target): Promise<void> {
  const { host, recorder, progress } = run;
  const points: Point[] = [];
  let why = "measured on a host of bench's own alone";
  recorder.figure(() => ({
    name: "memory per live instance",
    unit: "bytes",
    estimate: slopeOf(points),
    samples: points.length,
    note: points.length > 1 ? `readings while up to ${points.at(-1)?.x ?? 0} were alive` : why,
  }));
  if (!host.own) return;
  progress.step("holding instances", liveSteps);
  try {
    why = "the run ended before";
    await observeInstances(run, target, points);
  } catch (error) {
    if (run.signal.aborted) throw error;
    why = messageOf(error).split("\n")[0] ?? "";
  }
}

async function observeInstances(run: BenchRun, target: Target, points: Point[]): Promise<void> {
  const { host, deployments, progress, signal } = run;
  const [copy] = await copiesOf(target, 1);
  const wasm = copy && endlessCopy(copy.wasm, entryPoint);
  if (!wasm) throw new Error(`the module has no ${entryPoint} of its own`);
  const caller = run.caller();
  try {
    for (let step = 0; step <= liveSteps; step += 1) {
      signal.throwIfAborted();
      if (step > 0) {
        const config = { ...copy.config, cpuMs: 900_000, timeoutMs: 60_000 };
        const [distinct] = await copiesOf({ ...target, wasm: async () => wasm }, 1);
        const { name } = await deployments.deploy({ ...copy, ...distinct, config, suffix: `live-${step}` });
        const request = run.request(name, target);
        for (let call = 0; call < liveAtATime; call += 1) {
          // It is answered when the connection is closed: with a failure that nobody waits for.
          caller
            .send(request)
            .then((exchange) => assertSuccess(request, exchange))
            .catch(() => {});
        }
      }
      const alive = step * liveAtATime;
      const isRunning = async (): Promise<boolean> => {
        const gauges = await host.gauges();
        return gauges !== null && gauges.liveCalls - gauges.waitingCalls >= alive;
      };
      if (!(await waitFor(isRunning, startTimeoutMs, signal))) throw new Error("its calls do not stay alive");
      await sleep(settleMs, undefined, { signal });
      const memory = await host.memory();
      if (memory === null) throw new Error("the host does not tell");
      points.push({ x: alive, y: memory.hostBytes });
      progress.done(step);
    }
  } finally {
    caller.close();
  }
}

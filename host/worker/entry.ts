// The worker thread: takes one call at a time from Piscina, runs it in a fresh instance and answers
// with bytes. Knows nothing of HTTP, stores or deploys.

import { type MessagePort, threadId, workerData } from "node:worker_threads";
import { move, transferableSymbol, valueSymbol } from "piscina";
import { type CallResult, monotonicMs, type Timings } from "../invocation.ts";
import { CallState } from "./call-state.ts";
import { CallStop } from "./call-stop.ts";
import { type Failure, failure } from "./failure.ts";
import { GuestLog } from "./guest-log.ts";
import type { GuestInstance } from "./instance.ts";
import { Instances } from "./instances.ts";
import { type CachedModule, ModuleCache } from "./module-cache.ts";
import { type CallTask, claim, type LogBatch, type WorkerData } from "./protocol.ts";
import { RunningRecord, takeThreadSlot } from "./running-record.ts";

/** Answers up to this size are cloned, larger ones are moved: moving has a fixed price. */
const clonedBytesMax = 16_384;

type Movable = Extract<Parameters<typeof move>[0], { [transferableSymbol]: object }>;

const shared = workerData as WorkerData;
const claimCells = new Int32Array(shared.claims);
const instances = new Instances();
const modules = new ModuleCache();
const running = new RunningRecord(
  takeThreadSlot(new Int32Array(shared.threadSlots), threadId),
  shared.runningFile,
);
let logPort: MessagePort | null = null;

/** Runs one call; the default export is what Piscina calls. */
export default function runCall(task: CallTask): CallResult | ReturnType<typeof move> {
  if (task.logPort !== null) logPort = task.logPort;
  if (task.setup !== null) modules.put(task.key, task.setup);
  const cached = modules.get(task.key);
  if (cached === undefined) return { kind: "module_missing" };
  if (Atomics.compareExchange(claimCells, task.slot, claim.posted, claim.begun) !== claim.posted) {
    return { kind: "revoked" };
  }
  running.begin(task.versionId);
  try {
    return posted(runFresh(task, cached));
  } finally {
    running.end();
  }
}

function runFresh(task: CallTask, cached: CachedModule): CallResult {
  const begunAtMs = monotonicMs();
  const log = new GuestLog((line) => {
    logPort?.postMessage({ slot: task.slot, line } satisfies LogBatch);
  });
  const state = new CallState(task.message, cached.env, log);
  const stop = new CallStop(claimCells, task.slot, task.cpuMs);
  const call = { state, check: stop.check };
  let instance: GuestInstance | null = null;
  let readyAtMs = 0;
  let failed: Failure | null = null;
  try {
    const taken = instances.take(cached, call);
    instance = taken.instance;
    if (!taken.started) instances.start(cached, instance, call);
    readyAtMs = monotonicMs();
    failed = instance.runEntry();
  } catch (error) {
    if (stop.reason === null) failed = failure(error, state, instance?.growWasRefused === true);
  }
  state.phase = "ended";
  const endedAtMs = monotonicMs();
  if (readyAtMs === 0) readyAtMs = endedAtMs;
  const timings: Timings = {
    instantiate: elapsedMs(begunAtMs, readyAtMs),
    run: elapsedMs(readyAtMs, endedAtMs),
  };
  const answered = failed === null && stop.reason === null && state.answer !== null;
  if (instance !== null) instances.give(cached, instance, answered);
  const common = { begunAtMs, timings, logLines: log.lines };
  if (stop.reason !== null) {
    return { kind: "stopped", code: stop.reason === "cpu" ? "cpu_exceeded" : null, ...common };
  }
  if (failed !== null) return { kind: "failed", ...failed, ...common };
  if (state.answer === null) throw new Error("A call ended well without an answer");
  return { kind: "answered", message: state.answer, ...common };
}

/** Milliseconds between two readings, to the microsecond. */
function elapsedMs(fromMs: number, toMs: number): number {
  return Math.round((toMs - fromMs) * 1000) / 1000;
}

/** Wraps a large answer so that Piscina moves its buffer instead of cloning it. */
function posted(result: CallResult): CallResult | ReturnType<typeof move> {
  if (result.kind !== "answered" || result.message.byteLength <= clonedBytesMax) return result;
  return move({ [transferableSymbol]: [result.message.buffer], [valueSymbol]: result } as Movable);
}

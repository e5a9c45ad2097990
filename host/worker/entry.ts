// The worker thread: takes one call at a time from Piscina, runs it in a fresh instance and answers
// with bytes. Knows nothing of HTTP, stores or deploys.

import { type MessagePort, threadId, workerData } from "node:worker_threads";
import { move, transferableSymbol, valueSymbol } from "piscina";
import { type CallResult, monotonicMs, type Timings } from "../invocation.ts";
import { CallState } from "./call-state.ts";
import { CallStop } from "./call-stop.ts";
import { GuestLog } from "./guest-log.ts";
import { elapsedMs, failure, growWasRefused, instantiate, runEntry } from "./instance.ts";
import { MemoryPool } from "./memory-pool.ts";
import { type CachedModule, ModuleCache } from "./module-cache.ts";
import { type CallTask, claim, type LogBatch, type WorkerData } from "./protocol.ts";
import { RunningRecord, takeThreadSlot } from "./running-record.ts";

/** Answers up to this size are cloned, larger ones are moved: moving has a fixed price. */
const clonedBytesMax = 16_384;

type Movable = Extract<Parameters<typeof move>[0], { [transferableSymbol]: object }>;

const shared = workerData as WorkerData;
const claimCells = new Int32Array(shared.claims);
const memories = new MemoryPool();
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
  const timings: Timings = {};
  const memory = cached.memory === null ? null : memories.take(cached.memory);
  let instance: WebAssembly.Instance | null = null;
  let readyAtMs = begunAtMs;
  let failed: { code: Extract<CallResult, { kind: "failed" }>["code"]; detail: string } | null = null;
  try {
    instance = instantiate(cached, state, memory, stop.check);
    readyAtMs = monotonicMs();
    failed = runEntry(instance, state);
  } catch (error) {
    if (stop.reason === null) failed = failure(error, state, growWasRefused(instance));
  }
  state.phase = "ended";
  const endedAtMs = monotonicMs();
  if (instance === null) readyAtMs = endedAtMs;
  timings.instantiate = elapsedMs(begunAtMs, readyAtMs);
  timings.run = elapsedMs(readyAtMs, endedAtMs);
  if (cached.memory !== null && memory !== null) memories.give(cached.memory, memory);
  const common = { begunAtMs, timings, logLines: log.lines };
  if (stop.reason !== null) {
    return { kind: "stopped", code: stop.reason === "cpu" ? "cpu_exceeded" : null, ...common };
  }
  if (failed === null && state.answer !== null) {
    return { kind: "answered", message: state.answer, ...common };
  }
  return {
    kind: "failed",
    code: "bad_guest_output",
    detail: "The function gave no answer",
    ...failed,
    ...common,
  };
}

/** Wraps a large answer so that Piscina moves its buffer instead of cloning it. */
function posted(result: CallResult): CallResult | ReturnType<typeof move> {
  if (result.kind !== "answered" || result.message.byteLength <= clonedBytesMax) return result;
  return move({ [transferableSymbol]: [result.message.buffer], [valueSymbol]: result } as Movable);
}

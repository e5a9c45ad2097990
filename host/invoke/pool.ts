// The worker threads: a Piscina pool, what each thread holds, and the claims by which it is known
// which calls have begun. It posts calls, takes back those that wait behind a long one, and ends the
// thread of a runaway; which call is posted when is the scheduler's business.

import { fileURLToPath } from "node:url";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import { FixedQueue, Piscina, type PiscinaTask, queueOptionsSymbol } from "piscina";
import { type CallResult, type GuestLogLine, monotonicMs } from "../invocation.ts";
import { limits } from "../limits.ts";
import { type CallTask, claim, isRunning, type ModuleSetup } from "../worker/protocol.ts";
import { chooseThread, type ThreadLoad } from "./balancer.ts";
import { CallTimes } from "./call-times.ts";
import { Roster } from "./roster.ts";
import { type Posted, Thread } from "./thread.ts";

/** A call as the pool sees it. */
export type PoolCall = {
  /** Names one set-up: version and revision of its configuration. */
  readonly key: string;
  readonly versionId: number;
  readonly cpuMs: number;
  readonly message: Uint8Array;
  readonly setup: ModuleSetup;
  /** Guest log lines, in order, all before `settle`. */
  log(line: GuestLogLine): void;
  /** Called exactly once for each `post`. */
  settle(outcome: PoolOutcome): void;
};

export type StopCode = "deadline_exceeded" | "cpu_exceeded";

export type PoolOutcome =
  | Extract<CallResult, { kind: "answered" | "failed" }>
  /** It never began: post it again. */
  | { readonly kind: "returned" }
  /** Its thread ended under it. */
  | { readonly kind: "lost" }
  /** It was ended by a limit; `runMs` is how long its guest had run, null when it had not begun. */
  | { readonly kind: "stopped"; readonly code: StopCode; readonly runMs: number | null };

export type PoolOptions = {
  readonly minThreads: number;
  readonly maxThreads: number;
  /** File of the running record, "" for none. */
  readonly runningFile: string;
  /** Room may have appeared. */
  readonly onRoom: () => void;
  /** A guest's thread would not end: only a new process helps. */
  readonly onUnkillable: () => void;
  /** A thread ended before it had started: only a new process helps, and no guest is to blame. */
  readonly onUnstartable: () => void;
  readonly onThreadLost: (error: unknown) => void;
  /** A guest did not stop when asked, and loses its thread. */
  readonly onBackstop: () => void;
  /** A fault of ours; the pool goes on. */
  readonly onFault: (error: unknown) => void;
};

/** What the balancer needs of a task; structured clone leaves symbol keys out. */
type Placement = { readonly posted: Posted; readonly transferList: MessagePort[]; task: MutableTask | null };
type MutableTask = { -readonly [key in keyof CallTask]: CallTask[key] };
type PlacedTask = MutableTask & { [queueOptionsSymbol]: Placement };
type PiscinaWorker = { readonly id: number; readonly currentUsage: number };

const threadIdleMs = 30_000;

/**
 * A thread's own heap holds little beside instances that die with their call: a small young
 * generation is collected often and keeps the process from growing by tens of MB a thread.
 */
const threadLimits = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 512 };

export class Pool {
  readonly #piscina: Piscina;
  readonly #options: PoolOptions;
  readonly #claims: Int32Array<SharedArrayBuffer>;
  readonly #freeSlots: number[];
  /** Threads that have been given a call, by threadId. */
  readonly #threads = new Map<number, Thread>();
  readonly #roster: Roster;
  readonly #posted = new Map<PoolCall, Posted>();
  readonly #times = new CallTimes();
  #watchTimer: NodeJS.Timeout | null = null;
  #closing = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    const slots = options.maxThreads * limits.callsPerThreadMax * 2;
    this.#claims = new Int32Array(new SharedArrayBuffer(slots * 4));
    this.#roster = new Roster({
      runningFile: options.runningFile,
      onExit: (hadStarted) => {
        if (!hadStarted && !this.#closing) options.onUnstartable();
        this.#forgetGone();
      },
      onFault: options.onFault,
    });
    this.#freeSlots = Array.from({ length: slots }, (_, index) => slots - 1 - index);
    this.#piscina = new Piscina({
      filename: fileURLToPath(import.meta.resolve("../worker/entry.ts")),
      minThreads: options.minThreads,
      maxThreads: options.maxThreads,
      concurrentTasksPerWorker: limits.callsPerThreadMax,
      idleTimeout: threadIdleMs,
      taskQueue: new FixedQueue(),
      // An idle thread's event loop must turn: it clears its record there.
      atomics: "disabled",
      recordTiming: false,
      resourceLimits: threadLimits,
      loadBalancer: (task, workers) => this.#place(task, workers),
      workerData: {
        claims: this.#claims.buffer,
        threadSlots: this.#roster.slots.buffer,
        runningFile: options.runningFile,
      },
    });
    this.#piscina.on("error", (error: unknown) => options.onThreadLost(error));
    this.#piscina.on("workerCreate", (worker: PiscinaWorker) => {
      this.#observe();
      this.#roster.started(worker.id);
    });
    this.#piscina.on("workerDestroy", () => queueMicrotask(() => this.#forgetGone()));
    this.#observe();
  }

  /** Threads alive, those that are starting included. */
  get threads(): number {
    return this.#piscina.threads.length;
  }

  /** Calls handed over and not answered. */
  get posted(): number {
    return this.#posted.size;
  }

  /** Whether one more call would go to a thread, or make the pool grow. */
  hasRoom(): boolean {
    if (this.#closing || this.#freeSlots.length === 0) return false;
    const nowMs = monotonicMs();
    let placed = 0;
    for (const thread of this.#threads.values()) {
      for (const posted of thread.posted) if (!posted.settled) placed += 1;
      if (!thread.stalled(nowMs) && thread.posted.size < limits.callsPerThreadMax) return true;
    }
    // Else one call for each thread that is starting or may start.
    return this.#posted.size - placed < this.#options.maxThreads - this.#threads.size;
  }

  /** Hands a call over; there must be room. */
  post(call: PoolCall): void {
    const slot = this.#freeSlots.pop();
    if (slot === undefined) throw new Error("A call was posted without room");
    Atomics.store(this.#claims, slot, claim.posted);
    const expectedMs = this.#times.expect(call.versionId);
    const posted: Posted = { call, slot, expectedMs, thread: null, settled: false, stop: null };
    this.#posted.set(call, posted);
    this.#watchTimer ??= setInterval(() => this.#watch(), limits.threadStallMs).unref();
    const transferList: MessagePort[] = [];
    const placement: Placement = { posted, transferList, task: null };
    const { key, versionId, cpuMs, message } = call;
    const task: PlacedTask = {
      slot,
      key,
      versionId,
      cpuMs,
      setup: null,
      message,
      logPort: null,
      [queueOptionsSymbol]: placement,
    };
    placement.task = task;
    this.#piscina
      .run(task, { transferList: transferList as never })
      .then(
        (result: CallResult) => this.#answered(posted, result),
        (error: unknown) => this.#failed(posted, error),
      )
      .catch(this.#options.onFault);
  }

  /** Stops a posted call: taken back when it has not begun, else asked to, else by ending its thread. */
  stop(call: PoolCall, code: StopCode): void {
    const posted = this.#posted.get(call);
    if (posted === undefined || posted.settled) return;
    if (this.#revoke(posted)) return this.#settle(posted, { kind: "stopped", code, runMs: null });
    if (posted.stop !== null) return;
    Atomics.compareExchange(this.#claims, posted.slot, claim.begun, claim.stopping);
    posted.stop = { code, timer: setTimeout(() => this.#endUnder(posted, code), limits.stopGraceMs) };
  }

  /** Ends the thread of a call that does not stop by itself. */
  #endUnder(posted: Posted, code: StopCode): void {
    const { thread } = posted;
    if (posted.settled || thread === null) return;
    // To the nearest look: the watch sees a call within a few milliseconds of its begin.
    const sinceMs = thread.watched?.posted === posted ? thread.watched.sinceMs : monotonicMs();
    this.#options.onBackstop();
    this.#endThread(thread);
    this.#settle(posted, { kind: "stopped", code, runMs: monotonicMs() - sinceMs });
  }

  async close(): Promise<void> {
    this.#closing = true;
    if (this.#watchTimer !== null) clearInterval(this.#watchTimer);
    await this.#piscina.destroy();
    for (const posted of this.#posted.values()) this.#settle(posted, { kind: "lost" });
    for (const thread of this.#threads.values()) thread.close();
  }

  /** The balancer: chooses a thread, and gives it what it lacks for this call. */
  #place<worker extends PiscinaWorker>(task: PiscinaTask, workers: worker[]): worker | null {
    const placement = task[queueOptionsSymbol] as Placement;
    const { posted } = placement;
    const nowMs = monotonicMs();
    const loads = workers.map((worker): ThreadLoad => {
      const thread = this.#threads.get(worker.id);
      const hasModule = thread?.has(posted.call.key) === true;
      // Piscina asks as soon as an answer is in, before `#finish` has seen it, and asks no more when
      // that was its last: a thread that it knows to be idle must not look busy here, or what waits
      // in Piscina's queue waits for ever.
      if (thread === undefined || worker.currentUsage === 0) {
        const stalled = thread?.ending === true;
        return { threadId: worker.id, posted: 0, backlogMs: 0, hasModule, stalled };
      }
      return thread.load(posted.call.key, nowMs);
    });
    const threadId = chooseThread(loads, {
      mayGrow: this.#piscina.threads.length < this.#options.maxThreads,
      callsPerThreadMax: limits.callsPerThreadMax,
    });
    if (threadId === null) return null;
    const thread = this.#threads.get(threadId) ?? this.#adopt(threadId, placement);
    posted.thread = thread;
    thread.posted.add(posted);
    if (thread.give(posted.call.key)) {
      if (placement.task !== null) placement.task.setup = posted.call.setup;
    }
    return workers.find((worker) => worker.id === threadId) ?? null;
  }

  #adopt(threadId: number, placement: Placement): Thread {
    const { port1, port2 } = new MessageChannel();
    const thread = new Thread(threadId, port1);
    this.#threads.set(threadId, thread);
    placement.transferList.push(port2);
    if (placement.task !== null) placement.task.logPort = port2;
    return thread;
  }

  #answered(posted: Posted, result: CallResult): void {
    if (result.kind === "module_missing") {
      posted.thread?.lacks(posted.call.key);
      return this.#finish(posted, { kind: "returned" });
    }
    if (result.kind === "revoked") return this.#finish(posted, { kind: "returned" });
    if (result.logLines > 0) posted.thread?.drainLog();
    const { instantiate = 0, run = 0 } = result.timings;
    this.#times.took(posted.call.versionId, instantiate + run);
    if (result.kind !== "stopped") return this.#finish(posted, result);
    const code = result.code ?? posted.stop?.code ?? "deadline_exceeded";
    this.#finish(posted, { kind: "stopped", code, runMs: instantiate + run });
  }

  #failed(posted: Posted, error: unknown): void {
    posted.thread?.drainLog();
    const begun = isRunning(Atomics.load(this.#claims, posted.slot));
    if (begun && !posted.settled) this.#options.onThreadLost(error);
    this.#finish(posted, begun ? { kind: "lost" } : { kind: "returned" });
  }

  /** Piscina is done with the call: frees its slot. */
  #finish(posted: Posted, outcome: PoolOutcome): void {
    const { thread } = posted;
    if (posted.stop !== null) clearTimeout(posted.stop.timer);
    if (thread !== null) {
      thread.posted.delete(posted);
      if (thread.watched?.posted === posted) thread.watched = null;
    }
    Atomics.store(this.#claims, posted.slot, claim.free);
    this.#freeSlots.push(posted.slot);
    this.#settle(posted, outcome);
    this.#options.onRoom();
  }

  #settle(posted: Posted, outcome: PoolOutcome): void {
    if (posted.settled) return;
    posted.settled = true;
    this.#posted.delete(posted.call);
    posted.call.settle(outcome);
  }

  /** Takes a call back; false when it has begun. */
  #revoke(posted: Posted): boolean {
    return Atomics.compareExchange(this.#claims, posted.slot, claim.posted, claim.revoked) === claim.posted;
  }

  /** Looks at what each thread runs: frees the calls behind a long one and holds it to its CPU time. */
  #watch(): void {
    if (this.#posted.size === 0 && this.#watchTimer !== null) {
      clearInterval(this.#watchTimer);
      this.#watchTimer = null;
      return;
    }
    this.#observe();
    const nowMs = monotonicMs();
    for (const thread of this.#threads.values()) {
      if (thread.ending) continue;
      const begun = [...thread.posted].find((posted) => isRunning(Atomics.load(this.#claims, posted.slot)));
      if (begun === undefined) {
        thread.watched = null;
      } else if (thread.watched?.posted !== begun) {
        thread.watched = { posted: begun, sinceMs: nowMs, cpuStartMs: null, asking: false };
      } else if (thread.stalled(nowMs)) {
        this.#watchStalled(thread, nowMs);
      }
    }
  }

  #watchStalled(thread: Thread, nowMs: number): void {
    for (const posted of thread.posted) {
      if (!posted.settled && this.#revoke(posted)) this.#settle(posted, { kind: "returned" });
    }
    const { watched } = thread;
    if (watched === null || watched.asking || watched.posted.settled) return;
    const due = watched.cpuStartMs === null || nowMs - watched.sinceMs >= watched.posted.call.cpuMs;
    if (!due) return;
    const worker = this.#worker(thread.threadId);
    if (worker === undefined) return;
    watched.asking = true;
    worker.cpuUsage().then(
      (usage) => {
        watched.asking = false;
        const cpuMs = (usage.user + usage.system) / 1000;
        // The call had run for at most one look when the watch began, and that much CPU at the most.
        watched.cpuStartMs ??= cpuMs;
        if (thread.watched !== watched || watched.posted.settled) return;
        if (cpuMs - watched.cpuStartMs >= watched.posted.call.cpuMs)
          this.stop(watched.posted.call, "cpu_exceeded");
      },
      () => {
        // The thread has ended meanwhile; its exit settles the call.
      },
    );
  }

  #worker(threadId: number) {
    return this.#piscina.threads.find((worker) => worker.threadId === threadId);
  }

  /** Ends a thread with what it runs; calls it had not begun go back. */
  #endThread(thread: Thread): void {
    if (thread.ending) return;
    thread.ending = true;
    for (const posted of thread.posted) {
      if (!posted.settled && this.#revoke(posted)) this.#settle(posted, { kind: "returned" });
    }
    thread.drainLog();
    const worker = this.#worker(thread.threadId);
    if (worker === undefined) return;
    let ended = false;
    const timer = setTimeout(() => {
      // When it was this thread that stood still, the end may be told in this very turn of the loop.
      setImmediate(() => {
        if (!ended) this.#options.onUnkillable();
      });
    }, limits.threadEndTimeoutMs);
    worker.once("exit", () => {
      ended = true;
      clearTimeout(timer);
    });
    worker.terminate().catch(this.#options.onThreadLost);
  }

  #observe(): void {
    this.#roster.observe(this.#piscina.threads);
  }

  /** Forgets threads that are no more, and starts one when calls wait for it. */
  #forgetGone(): void {
    const alive = new Set(this.#piscina.threads.map((worker) => worker.threadId));
    for (const [threadId, thread] of this.#threads) {
      if (alive.has(threadId)) continue;
      this.#threads.delete(threadId);
      thread.close();
    }
    if (this.#closing) return;
    if (alive.size === 0) this.#returnUnplaced();
    this.#options.onRoom();
  }

  /** Piscina starts a thread when a call is posted, not for one that waits when the last thread ends. */
  #returnUnplaced(): void {
    for (const posted of this.#posted.values()) {
      if (posted.thread === null && this.#revoke(posted)) this.#settle(posted, { kind: "returned" });
    }
  }
}

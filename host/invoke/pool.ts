// Calls on threads: gives each to the thread that the balancer chooses, takes back those that have not
// begun on one that stands still, and stops the ones it is told to. Which call is posted when is the
// scheduler's business, how many threads there are that of threads.ts.

import {
  type CallResult,
  type ErrandKind,
  type ErrandReply,
  type GuestLogLine,
  monotonicMs,
  type Timings,
} from "../invocation.ts";
import { limits } from "../limits.ts";
import { boxedBytesMax } from "../worker/mailbox.ts";
import {
  type CallAnswer,
  claim,
  type ErrandNews,
  type FromThread,
  isRunning,
  type ModuleSetup,
  type SetupKey,
} from "../worker/protocol.ts";
import { chooseThread } from "./balancer.ts";
import { type CallStreams, streamed } from "./call-streams.ts";
import { CallTimes } from "./call-times.ts";
import { watchCpu } from "./cpu-watch.ts";
import type { Posted, Thread } from "./thread.ts";
import { Threads, type ThreadsOptions } from "./threads.ts";

/** A call as the pool sees it. */
export type PoolCall = {
  /** That of its set-up. */
  readonly key: SetupKey;
  /** Whether it runs on threads that no other function has. */
  readonly ownThreads: boolean;
  /** Whether its guest asks the host as it runs; one that does not has a thread for itself while it runs. */
  readonly metered: boolean;
  readonly versionId: number;
  readonly functionName: string;
  readonly message: Uint8Array;
  readonly setup: ModuleSetup;
  readonly streams: CallStreams;
  /** Guest log lines, in order, all before `settle`. */
  log(line: GuestLogLine): void;
  /** Does what its guest wants done, one at a time; `signal` is aborted when the call waits no more. */
  errand(kind: ErrandKind, message: Uint8Array, signal: AbortSignal): Promise<ErrandReply>;
  /** Called exactly once for each `post` that took it. */
  settle(outcome: PoolOutcome): void;
};

/** `stream_failed`: whoever made the call knows why it is to end. */
export type StopCode = "deadline_exceeded" | "cpu_exceeded" | "client_gone" | "stream_failed";

export type PoolOutcome =
  | Extract<CallResult, { kind: "answered" | "streamed" | "failed" }>
  /** It never began: post it again. */
  | { readonly kind: "returned" }
  /** Its thread ended under it. */
  | { readonly kind: "lost" }
  /**
   * It was ended by a limit; `runMs` is how long its guest had run, null when it had not begun, and
   * `began` what the thread could tell of that.
   */
  | {
      readonly kind: "stopped";
      readonly code: StopCode;
      readonly runMs: number | null;
      readonly began?: { readonly begunAtMs: number; readonly timings: Timings };
    };

export type PoolOptions = ThreadsOptions & {
  /** Room may have appeared. */
  readonly onRoom: () => void;
  /** A guest did not stop when asked, and loses its thread. */
  readonly onBackstop: () => void;
  /** The last thread has ended, and no call is here or waits. */
  readonly onIdle?: () => void;
};

export class Pool {
  readonly #options: PoolOptions;
  readonly #threads: Threads;
  readonly #claims: Int32Array<SharedArrayBuffer>;
  readonly #freeSlots: number[];
  readonly #posted = new Map<PoolCall, Posted>();
  readonly #times = new CallTimes();
  /** Threads with calls that have not been sent yet. */
  readonly #unsent = new Set<Thread>();
  /** Runs while there are calls: an idle host does nothing. */
  #watchTimer: NodeJS.Timeout | null = null;
  /** Ends threads that have stayed idle. */
  #idleTimer: NodeJS.Timeout | null = null;
  #waiting = 0;
  #closing = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#claims = new Int32Array(new SharedArrayBuffer(limits.liveCallsMax * 2 * 4));
    this.#freeSlots = Array.from({ length: this.#claims.length }, (_, index) => index);
    this.#threads = new Threads({
      ...options,
      claims: this.#claims.buffer,
      onMessage: (thread, message) => this.#received(thread, message),
      onGone: (thread, error) => this.#gone(thread, error),
    });
    this.#threads.scale(0);
  }

  /** Threads alive, those that are starting included. */
  get threads(): number {
    return this.#threads.list.length;
  }

  /** Bytes that the memories of live calls hold. */
  get heldBytes(): number {
    return this.#threads.heldBytes;
  }

  /** Calls handed over and not answered. */
  get posted(): number {
    return this.#posted.size;
  }

  /** Whether it has nothing to run, and nobody waits for it. */
  get isIdle(): boolean {
    return this.#posted.size === 0 && this.#waiting === 0;
  }

  /** Gives a call to a thread; false when it has to wait, until `onRoom` says that there may be room. */
  post(call: PoolCall): boolean {
    if (this.#closing || this.#freeSlots.length === 0) return false;
    const expectedMs = this.#times.expect(call.versionId);
    const thread = this.#choose(call, expectedMs);
    if (thread === null) return false;
    const slot = this.#freeSlots.pop() as number;
    Atomics.store(this.#claims, slot, claim.posted);
    const posted: Posted = {
      call,
      slot,
      box: this.#boxFor(call),
      expectedMs,
      thread,
      waiting: false,
      settled: false,
      stop: null,
      errand: null,
      body: null,
      cpuWatch: null,
    };
    if (!call.metered) {
      const readMs = (): Promise<number> => this.#threads.cpuMs(thread);
      posted.cpuWatch = watchCpu(call.setup.cpuMs, readMs, () => this.stop(call, "cpu_exceeded"));
    }
    this.#posted.set(call, posted);
    this.#watchTimer ??= setInterval(() => this.#watch(), limits.threadStallMs).unref();
    thread.add(posted);
    if (thread.enqueue(posted)) this.#sendSoon(thread);
    if (thread.running === 1) this.#threads.scale(this.#waiting);
    return true;
  }

  /** Calls that wait because `post` did not take them; threads are started for them. */
  wants(waiting: number): void {
    if (waiting === this.#waiting) return;
    this.#waiting = waiting;
    this.#threads.scale(this.#waiting);
  }

  /** Stops a posted call: taken back when it has not begun, else asked to, else by ending its thread. */
  stop(call: PoolCall, code: StopCode): void {
    const posted = this.#posted.get(call);
    if (posted === undefined || posted.settled) return;
    if (this.#revoke(posted)) return this.#settle(posted, { kind: "stopped", code, runMs: null });
    if (posted.stop !== null) return;
    Atomics.compareExchange(this.#claims, posted.slot, claim.begun, claim.stopping);
    abandonErrand(posted);
    posted.thread.send({ kind: "stop", slot: posted.slot });
    const beganMs = monotonicMs();
    const { beats } = posted.thread;
    posted.stop = {
      code,
      timer: setTimeout(() => this.#stopLate(posted, beganMs, beats), limits.stopGraceMs),
    };
  }

  async close(): Promise<void> {
    this.#closing = true;
    if (this.#watchTimer !== null) clearInterval(this.#watchTimer);
    if (this.#idleTimer !== null) clearTimeout(this.#idleTimer);
    const threads = [...this.#threads.list];
    await this.#threads.close();
    // Also those whose callers have been answered, and which their threads have not let go; what the
    // threads still had to say has been heard by now.
    const held = threads.flatMap(({ posted }) => [...posted.values()]);
    for (const posted of held) this.#finish(posted, { kind: "lost" });
  }

  /** A box for its messages; null when the request is too long for one, or all are taken. */
  #boxFor({ message, streams }: PoolCall): number | null {
    return message.byteLength <= boxedBytesMax && !streams.bodyComes
      ? (this.#options.cells.freeBoxes.pop() ?? null)
      : null;
  }

  #choose(call: PoolCall, expectedMs: number): Thread | null {
    const { list, mayGrow } = this.#threads;
    const loads = list.map((thread) => thread.load(call));
    const index = chooseThread(loads, { mayGrow, expectedMs });
    return index === null ? null : (list[index] as Thread);
  }

  /** What is posted in one turn of the event loop goes in one message. */
  #sendSoon(thread: Thread): void {
    if (this.#unsent.size === 0) {
      setImmediate(() => {
        for (const each of this.#unsent) each.flush();
        this.#unsent.clear();
      });
    }
    this.#unsent.add(thread);
  }

  #received(thread: Thread, message: FromThread): void {
    thread.heard();
    switch (message.kind) {
      case "line": {
        const posted = thread.posted.get(message.slot);
        if (posted === undefined || posted.settled) return;
        const [timeMs, level, text] = message.line;
        posted.call.log({ timeMs, level, message: text });
        return;
      }
      case "ready":
        // One that comes when there is nothing left to do is looked at once more.
        if (this.#watchTimer === null) this.#rest();
        break;
      case "news":
        for (const { slot, waiting } of message.waits) {
          const posted = thread.posted.get(slot);
          if (posted !== undefined) thread.setWaiting(posted, waiting);
        }
        for (const news of message.errands) this.#errand(thread, news);
        for (const answer of message.answers) this.#answered(thread, answer);
        for (const box of message.boxes) {
          const { mailbox } = this.#options.cells;
          this.#answered(thread, { kind: "answered", slot: mailbox.slot(box), ...mailbox.answer(box) });
        }
        thread.busyAtMs = monotonicMs();
        break;
      default:
        return streamed(thread, message);
    }
    if (!this.#closing) this.#options.onRoom();
  }

  /** A guest waits for what it wants done; it is told unless it waits no more by then. */
  #errand(thread: Thread, { slot, errand: kind, message: wanted }: ErrandNews): void {
    const posted = thread.posted.get(slot);
    if (posted === undefined || posted.settled || posted.stop !== null) return;
    const errand = new AbortController();
    posted.errand = errand;
    const replied = (reply: ErrandReply): void => {
      if (posted.errand !== errand) return;
      posted.errand = null;
      thread.send({ kind: "replied", slot, reply }, [reply.message.buffer]);
    };
    posted.call.errand(kind, wanted, errand.signal).then(replied, (error: unknown) => {
      if (posted.errand !== errand) return;
      this.#options.onFault(error);
      replied({ failed: true, message: new TextEncoder().encode("internal: the host failed") });
    });
  }

  #answered(thread: Thread, { slot, ...result }: CallAnswer): void {
    const posted = thread.posted.get(slot);
    if (posted === undefined) {
      this.#options.onFault(new Error(`A thread answered for slot ${slot}, which it does not hold`));
      return this.#threads.end(thread);
    }
    this.#finish(posted, this.#outcome(posted, result as CallResult));
  }

  #outcome(posted: Posted, result: CallResult): PoolOutcome {
    if (result.kind === "module_missing") {
      posted.thread.lacks(posted.call.key);
      return { kind: "returned" };
    }
    if (result.kind === "revoked") return { kind: "returned" };
    const { begunAtMs, timings } = result;
    const { instantiate = 0, run = 0 } = timings;
    this.#times.took(posted.call.versionId, instantiate + run);
    if (result.kind !== "stopped") return result;
    const code = result.code ?? posted.stop?.code ?? "deadline_exceeded";
    return { kind: "stopped", code, runMs: instantiate + run, began: { begunAtMs, timings } };
  }

  /** The thread is done with the call: frees its slot and its box, once. */
  #finish(posted: Posted, outcome: PoolOutcome): void {
    if (!posted.thread.remove(posted)) return;
    if (posted.stop !== null) clearTimeout(posted.stop.timer);
    abandonErrand(posted);
    posted.cpuWatch?.[Symbol.dispose]();
    Atomics.store(this.#claims, posted.slot, claim.free);
    this.#freeSlots.push(posted.slot);
    if (posted.box !== null) this.#options.cells.freeBoxes.push(posted.box);
    this.#settle(posted, outcome);
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

  /** Looks whether each thread that has something to run gives signs of life. */
  #watch(): void {
    // A call that was taken back is settled before its thread has seen that.
    if (this.#threads.list.every(({ posted }) => posted.size === 0)) this.#rest();
    this.#threads.observe();
    for (const thread of this.#threads.list) {
      if (!thread.hasStarted || thread.ending) continue;
      const wasSilent = thread.isSilent;
      thread.look();
      if (thread.isSilent) this.#returnUnbegun(thread);
      else if (wasSilent) this.#options.onRoom();
      if (thread.silentLooks * limits.threadStallMs >= limits.threadSilenceMs) this.#backstop(thread);
    }
    this.#threads.scale(this.#waiting);
  }

  /** Stops watching until the next call; threads that are idle for long from now on end then. */
  #rest(): void {
    if (this.#watchTimer !== null) clearInterval(this.#watchTimer);
    this.#watchTimer = null;
    if (this.#idleTimer !== null) clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => this.#threads.scale(this.#waiting), this.#threads.idleMs + 1).unref();
  }

  #returnUnbegun(thread: Thread): void {
    for (const posted of thread.posted.values()) {
      if (!posted.settled && this.#revoke(posted)) this.#settle(posted, { kind: "returned" });
    }
  }

  /** A call has not stopped in time: when its thread stands still, nobody waits for it any longer. */
  #stopLate(posted: Posted, sinceMs: number, beatsBefore: number): void {
    const { thread, stop } = posted;
    if (stop === null || thread.ending || this.#closing) return;
    const { beats } = thread;
    if (beats !== beatsBefore) {
      // It is alive and has others to run: the call's turn comes.
      const againMs = posted.settled ? limits.stopBackstopMs : limits.stopGraceMs;
      stop.timer = setTimeout(() => this.#stopLate(posted, sinceMs, beats), againMs);
      return;
    }
    if (posted.settled) return this.#backstop(thread);
    this.#settle(posted, { kind: "stopped", code: stop.code, runMs: monotonicMs() - sinceMs });
    // There is no other way to stop a guest that asks nobody, and nobody else is there.
    if (!posted.call.metered) return this.#threads.end(thread);
    // It may be the machine that is busy: the others on the thread are not given up so soon.
    const restMs = limits.stopBackstopMs - limits.stopGraceMs;
    stop.timer = setTimeout(() => this.#stopLate(posted, sinceMs, beats), restMs);
  }

  #backstop(thread: Thread): void {
    if (thread.ending) return;
    this.#options.onBackstop();
    this.#threads.end(thread);
    this.#returnUnbegun(thread);
  }

  /** A thread is over: it was told to end, or it died under its calls. */
  #gone(thread: Thread, error: unknown): void {
    this.#unsent.delete(thread);
    let lost = 0;
    for (const posted of [...thread.posted.values()]) {
      const begun = isRunning(Atomics.load(this.#claims, posted.slot));
      if (begun && !posted.settled) lost += 1;
      this.#finish(posted, begun ? { kind: "lost" } : { kind: "returned" });
    }
    if (lost > 0) this.#options.onThreadLost(error);
    this.#threads.scale(this.#waiting);
    this.#options.onRoom();
    if (this.isIdle && this.threads === 0) this.#options.onIdle?.();
  }
}

function abandonErrand(posted: Posted): void {
  const { errand } = posted;
  posted.errand = null;
  errand?.abort();
}

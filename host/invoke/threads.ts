// The threads themselves: each is one task of a Piscina pool, which takes calls from a port until it is
// told to end. They are started and ended with the load (autoscaler.ts), and ended with what they run
// when nothing else helps. What they are given to run is the pool's business.

import { fileURLToPath } from "node:url";
import { MessageChannel, receiveMessageOnPort, type Worker } from "node:worker_threads";
import { Piscina } from "piscina";
import { monotonicMs } from "../invocation.ts";
import { limits } from "../limits.ts";
import { boxesMax, Mailbox } from "../worker/mailbox.ts";
import { type FromThread, type ThreadTask, threadSlotsMax, type WorkerData } from "../worker/protocol.ts";
import { scale } from "./autoscaler.ts";
import { Roster } from "./roster.ts";
import { Thread } from "./thread.ts";

const pageBytes = 65_536;

/**
 * A thread's own heap holds little beside instances that die with their call: a small young
 * generation is collected often and keeps the process from growing by tens of MB a thread.
 */
const youngMbMax = 4;
/**
 * Metered guests have nothing on the heap to grow. But when what V8 counts outside of it, which is guests'
 * memories and stacks, comes to half of this bound, it collects the whole heap again and again
 * (docs/decisions/0012-guests-by-turns.md).
 */
const heapMbMaxDefault = 2_048;

/** What all threads of a process share, whatever their pools. */
export type ThreadCells = {
  /** One Int32 cell: pages of 64 KiB that live calls hold. */
  readonly heldPages: Int32Array<SharedArrayBuffer>;
  /** Cells of the running record (roster.ts). */
  readonly slots: Int32Array<SharedArrayBuffer>;
  readonly mailbox: Mailbox;
  /** Boxes that no call has: the one used last is used next. */
  readonly freeBoxes: number[];
};

export function threadCells(): ThreadCells {
  return {
    heldPages: new Int32Array(new SharedArrayBuffer(4)),
    slots: new Int32Array(new SharedArrayBuffer(threadSlotsMax * 4)),
    mailbox: new Mailbox(),
    freeBoxes: Array.from({ length: boxesMax }, (_, index) => boxesMax - 1 - index),
  };
}

/** The bound on pages that live calls hold, for one in bytes. */
export function pagesHeldMax(memoryBytesMax: number): number {
  return Math.floor(memoryBytesMax / pageBytes);
}

export type ThreadsOptions = {
  readonly cells: ThreadCells;
  readonly minThreads: number;
  readonly maxThreads: number;
  /** File of the running record, "" for none. */
  readonly runningFile: string;
  /** A guest's thread would not end: only a new process helps. */
  readonly onUnkillable: () => void;
  /** A thread ended before it had started: only a new process helps, and no guest is to blame. */
  readonly onUnstartable: () => void;
  readonly onThreadLost: (error: unknown) => void;
  /** What the memories of live calls may hold together. */
  readonly memoryBytesMax: number;
  /** What the heap of one thread may come to, MiB, before V8 ends the thread. */
  readonly heapMbMax?: number;
  /** As the limit of that name unless given. */
  readonly threadIdleMs?: number;
  /** A fault of ours; the pool goes on. */
  readonly onFault: (error: unknown) => void;
};

export type ThreadsParts = ThreadsOptions & {
  /** Int32 cells, one per posted call. */
  readonly claims: SharedArrayBuffer;
  readonly onMessage: (thread: Thread, message: FromThread) => void;
  /** A thread is no more; `error` is null when it had been told to end. */
  readonly onGone: (thread: Thread, error: unknown) => void;
};

export class Threads {
  /** A thread with nothing to run for so long ends, if there are more than there should be. */
  readonly idleMs: number;
  /** Those alive and those starting, in the order they were started. */
  readonly list: Thread[] = [];
  readonly #piscina: Piscina;
  readonly #parts: ThreadsParts;
  readonly #roster: Roster;
  readonly #heldPages: Int32Array<SharedArrayBuffer>;
  #closing = false;

  constructor(parts: ThreadsParts) {
    this.#parts = parts;
    this.#heldPages = parts.cells.heldPages;
    this.idleMs = parts.threadIdleMs ?? limits.threadIdleMs;
    this.#roster = new Roster({
      slots: parts.cells.slots,
      runningFile: parts.runningFile,
      onExit: (hadStarted) => {
        if (!hadStarted && !this.#closing) parts.onUnstartable();
      },
      onFault: parts.onFault,
    });
    this.#piscina = new Piscina({
      filename: fileURLToPath(import.meta.resolve("../worker/entry.ts")),
      // A thread is kept by the task it has, and goes when that ends.
      minThreads: 0,
      maxThreads: parts.maxThreads,
      concurrentTasksPerWorker: 1,
      idleTimeout: 0,
      // A thread's event loop must turn.
      atomics: "disabled",
      recordTiming: false,
      resourceLimits: {
        maxYoungGenerationSizeMb: youngMbMax,
        maxOldGenerationSizeMb: parts.heapMbMax ?? heapMbMaxDefault,
      },
      workerData: {
        claims: parts.claims,
        threadSlots: parts.cells.slots.buffer,
        runningFile: parts.runningFile,
        heldPages: this.#heldPages.buffer,
        heldPagesMax: pagesHeldMax(parts.memoryBytesMax),
        mail: parts.cells.mailbox.memory,
      } satisfies WorkerData,
    });
    this.#piscina.on("error", (error: unknown) => parts.onThreadLost(error));
  }

  /** Whether another thread is starting, or may be started. */
  get mayGrow(): boolean {
    return this.list.length < this.#parts.maxThreads || this.list.some(({ hasStarted }) => !hasStarted);
  }

  /** Bytes that the memories of live calls hold. */
  get heldBytes(): number {
    return Atomics.load(this.#heldPages, 0) * pageBytes;
  }

  /** Takes in threads that Piscina has started, so that their exits are seen. */
  observe(): void {
    this.#roster.observe(this.#piscina.threads);
  }

  /** Starts threads, or ends idle ones, until there are as many as there should be. */
  scale(waiting: number): void {
    if (this.#closing) return;
    const nowMs = monotonicMs();
    const alive = this.list.filter(({ ending }) => !ending);
    const idle = alive.filter((thread) => thread.isIdleSince(nowMs - this.idleMs));
    const wanted = scale({
      threads: alive.length,
      busy: alive.filter(({ isBusy }) => isBusy).length,
      idleLong: idle.length,
      waiting,
      minThreads: this.#parts.minThreads,
      maxThreads: this.#parts.maxThreads,
    });
    for (let missing = wanted - this.list.length; missing > 0; missing -= 1) this.#start();
    for (const thread of idle.slice(0, Math.max(0, alive.length - wanted))) {
      thread.ending = true;
      thread.send({ kind: "end" });
    }
  }

  /** CPU time that a thread has used, ms; rejects when it has ended. Asked of it between two turns of its loops. */
  async cpuMs(thread: Thread): Promise<number> {
    const worker = this.#worker(thread);
    if (worker === undefined) throw new Error("The thread has ended");
    const { user, system } = await worker.cpuUsage();
    return (user + system) / 1_000;
  }

  /** Ends a thread with what it runs. */
  end(thread: Thread): void {
    thread.ending = true;
    const worker = this.#worker(thread);
    if (worker === undefined) return;
    let ended = false;
    const timer = setTimeout(() => {
      // When it was this thread that stood still, the end may be told in this very turn of the loop.
      setImmediate(() => {
        if (!ended) this.#parts.onUnkillable();
      });
    }, limits.threadEndTimeoutMs);
    worker.once("exit", () => {
      ended = true;
      clearTimeout(timer);
    });
    worker.terminate().catch(this.#parts.onThreadLost);
  }

  #worker({ threadId }: Thread): Worker | undefined {
    return this.#piscina.threads.find((worker) => worker.threadId === threadId);
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.#piscina.destroy();
    for (const thread of this.list) thread.port.close();
  }

  #start(): void {
    const { port1, port2 } = new MessageChannel();
    const thread = new Thread(port1, this.#parts.cells.mailbox, monotonicMs());
    this.list.push(thread);
    port1.on("message", (message: FromThread) => this.#received(thread, message));
    port1.unref();
    const task: ThreadTask = { port: port2, cells: thread.cells };
    this.#piscina
      .run(task, { transferList: [port2] as never })
      .then(
        () => this.#gone(thread, null),
        (error: unknown) => this.#gone(thread, error),
      )
      .catch(this.#parts.onFault);
    this.observe();
  }

  #received(thread: Thread, message: FromThread): void {
    if (message.kind === "ready") {
      thread.threadId = message.threadId;
      this.observe();
      this.#roster.started(message.threadId);
    }
    this.#parts.onMessage(thread, message);
  }

  #gone(thread: Thread, error: unknown): void {
    // What it said before its end counts.
    for (let next = receiveMessageOnPort(thread.port); next; next = receiveMessageOnPort(thread.port)) {
      this.#received(thread, next.message as FromThread);
    }
    thread.port.close();
    Atomics.sub(this.#heldPages, 0, thread.heldPages);
    this.list.splice(this.list.indexOf(thread), 1);
    if (!this.#closing) this.#parts.onGone(thread, error);
  }
}

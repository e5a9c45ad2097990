// What the pool knows of one worker thread: the port to it, what it was given and holds, and when it
// last gave a sign of life. Plain state with its readings; the pool acts on it.

import type { MessagePort } from "node:worker_threads";
import { limits } from "../limits.ts";
import type { Mailbox } from "../worker/mailbox.ts";
import {
  type CallTask,
  type ModuleSetup,
  type SetupKey,
  type ToThread,
  threadCell,
  threadCellsBytes,
} from "../worker/protocol.ts";
import type { ThreadLoad } from "./balancer.ts";
import type { BodyPost } from "./call-streams.ts";
import type { PoolCall, StopCode } from "./pool.ts";

/** A call that has been given to a thread. */
export type Posted = {
  readonly call: PoolCall;
  readonly slot: number;
  /** Where its messages lie; null when they are posted. */
  readonly box: number | null;
  /** What calls of its version took lately, ms. */
  readonly expectedMs: number;
  readonly thread: Thread;
  /** Whether it waits for a host call, and keeps nobody from running. */
  waiting: boolean;
  settled: boolean;
  /** Why it was asked to stop, and what waits for it to do so. */
  stop: { readonly code: StopCode; timer: NodeJS.Timeout } | null;
  /** What ends the errand that its guest waits for. */
  errand: AbortController | null;
  /** The way of its request's body, once its guest has asked for it. */
  body: BodyPost | null;
  /** What counts the CPU time of a guest that is not metered. */
  cpuWatch: Disposable | null;
};

export class Thread {
  /** By slot. */
  readonly posted = new Map<number, Posted>();
  readonly cells = new SharedArrayBuffer(threadCellsBytes);
  readonly port: MessagePort;
  readonly #mailbox: Mailbox;
  /** -1 until it has started. */
  threadId = -1;
  ending = false;
  /** Looks since its heartbeat has last changed. */
  silentLooks = 0;
  /** When it last had a call, ms. */
  busyAtMs: number;
  readonly #cells = new Int32Array(this.cells);
  #beatsSeen = 0;
  #outbox: (CallTask | number)[] = [];
  #setups: [SetupKey, ModuleSetup][] = [];
  #running = 0;
  #backlogMs = 0;
  /** Calls here that are not metered: at most one, and then no other. */
  #unmetered = 0;
  /** Calls by version that run or have not begun. */
  readonly #byVersion = new Map<number, number>();
  /** Deployments whose set-up it has been given; it may have let some go. */
  readonly #keys = new Set<SetupKey>();

  constructor(port: MessagePort, mailbox: Mailbox, nowMs: number) {
    this.port = port;
    this.#mailbox = mailbox;
    this.busyAtMs = nowMs;
  }

  /** Calls that run or have not begun: those that wait for host calls are left out. */
  get running(): number {
    return this.#running;
  }

  /** Whether it is needed: a guest that is not metered has it also while it waits. */
  get isBusy(): boolean {
    return this.#running > 0 || this.#unmetered > 0;
  }

  get hasStarted(): boolean {
    return this.threadId >= 0;
  }

  /** Whether it has had nothing to do since before that time. */
  isIdleSince(timeMs: number): boolean {
    return this.hasStarted && this.posted.size === 0 && this.busyAtMs <= timeMs;
  }

  has(key: SetupKey): boolean {
    return this.#keys.has(key);
  }

  /** It said that it lacks what it was given. */
  lacks(key: SetupKey): void {
    this.#keys.delete(key);
  }

  add(posted: Posted): void {
    this.posted.set(posted.slot, posted);
    if (!posted.call.metered) this.#unmetered += 1;
    this.#count(posted, 1);
  }

  /** Lets a call go; false when it has been. */
  remove(posted: Posted): boolean {
    if (this.posted.get(posted.slot) !== posted) return false;
    this.posted.delete(posted.slot);
    if (!posted.call.metered) this.#unmetered -= 1;
    if (!posted.waiting) this.#count(posted, -1);
    return true;
  }

  setWaiting(posted: Posted, waiting: boolean): void {
    if (posted.waiting === waiting) return;
    posted.waiting = waiting;
    this.#count(posted, waiting ? -1 : 1);
  }

  /** Puts a call into the next message to the thread; true when it is the first one in it. */
  enqueue({ slot, box, call }: Posted): boolean {
    const { key, message, setup, streams } = call;
    if (this.#give(key)) this.#setups.push([key, setup]);
    if (box === null)
      return this.#outbox.push({ slot, key, message: ofItsOwn(message), bodyComes: streams.bodyComes }) === 1;
    this.#mailbox.putCall(box, slot, key, message);
    return this.#outbox.push(box) === 1;
  }

  /** Sends what has been put in. */
  flush(): void {
    if (this.#outbox.length === 0) return;
    this.send({ kind: "calls", setups: this.#setups, calls: this.#outbox });
    this.#outbox = [];
    this.#setups = [];
  }

  /** Sends at once; the buffers in `moved` are the thread's from then on. */
  send(message: ToThread, moved: readonly ArrayBuffer[] = []): void {
    this.port.postMessage(message, [...moved]);
  }

  /** Looks for a sign of life since the last look, as far as there is something to run. */
  look(): void {
    const { beats } = this;
    // A guest that is not metered gives no sign; its limits end it.
    const mayBeSilent = this.#running === 0 || this.#unmetered > 0;
    this.silentLooks = beats !== this.#beatsSeen || mayBeSilent ? 0 : this.silentLooks + 1;
    this.#beatsSeen = beats;
  }

  /** It has said something: who speaks does not stand still, and need not wait for the next look. */
  heard(): void {
    this.silentLooks = 0;
  }

  /** Whether it stands still: what it was given just before a look has had no time to show. */
  get isSilent(): boolean {
    return this.silentLooks >= 2;
  }

  /** A number that changes while it is alive. */
  get beats(): number {
    return Atomics.load(this.#cells, threadCell.heartbeat);
  }

  /** Pages of 64 KiB that its live calls hold. */
  get heldPages(): number {
    return Atomics.load(this.#cells, threadCell.heldPages);
  }

  /** Whether it can be given no call of the version now. */
  isFull(versionId: number): boolean {
    return (
      this.#running >= limits.callsPerThreadMax ||
      (this.#byVersion.get(versionId) ?? 0) >= limits.callsPerThreadAndVersionMax
    );
  }

  load({ key, versionId, metered }: PoolCall): ThreadLoad {
    const isTaken = this.#unmetered > 0 || (!metered && this.posted.size > 0);
    return {
      running: this.#running,
      backlogMs: this.#backlogMs,
      hasModule: this.#keys.has(key),
      unavailable: !this.hasStarted || this.ending || this.isSilent || isTaken || this.isFull(versionId),
    };
  }

  /** Notes that it gets what a deployment needs; false when it has had it. */
  #give(key: SetupKey): boolean {
    if (this.#keys.has(key)) return false;
    // Names of modules it let go long ago: it is given again what it still has.
    if (this.#keys.size >= 2 * limits.modulesCachedMax) this.#keys.clear();
    this.#keys.add(key);
    return true;
  }

  #count({ call, expectedMs }: Posted, by: 1 | -1): void {
    this.#running += by;
    // Sums of fractions drift; nothing is left of an empty one.
    this.#backlogMs = this.#running === 0 ? 0 : Math.max(0, this.#backlogMs + by * expectedMs);
    const count = (this.#byVersion.get(call.versionId) ?? 0) + by;
    if (count === 0) this.#byVersion.delete(call.versionId);
    else this.#byVersion.set(call.versionId, count);
  }
}

/** A message that is no part of a larger buffer, which posting would copy whole. */
function ofItsOwn(message: Uint8Array): Uint8Array {
  return message.byteLength === message.buffer.byteLength ? message : new Uint8Array(message);
}

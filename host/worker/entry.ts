// The worker thread: takes calls from its port, runs each in a fresh instance, many at a time by
// turns, and answers with bytes. Knows nothing of HTTP, stores or deploys.

import { type MessagePort, receiveMessageOnPort, threadId, workerData } from "node:worker_threads";
import { movedWith } from "../chunk-buffer.ts";
import { type CallResult, type ErrandReply, monotonicMs, type Timings } from "../invocation.ts";
import { BusyClock } from "./busy-clock.ts";
import { CallRun, type ThreadShare } from "./call-run.ts";
import { CallState, type Errands, type StreamPort } from "./call-state.ts";
import { type Failure, failure, noMemoryRoom } from "./failure.ts";
import type { Guest, InstanceCall } from "./guest-instance.ts";
import { GuestLog } from "./guest-log.ts";
import { Instances } from "./instances.ts";
import { Mailbox } from "./mailbox.ts";
import { MemoryBudget } from "./memory-budget.ts";
import { type CachedModule, ModuleCache } from "./module-cache.ts";
import { Outbox } from "./outbox.ts";
import {
  type CallTask,
  claim,
  type FromThread,
  type StreamNews,
  type ThreadTask,
  type ToThread,
  threadCell,
  type WorkerData,
} from "./protocol.ts";
import { RunningRecord, takeThreadSlot } from "./running-record.ts";
import { Turns } from "./turns.ts";

const shared = workerData as WorkerData;
const claims = new Int32Array(shared.claims);
const heldPages = new Int32Array(shared.heldPages);
const mailbox = new Mailbox(shared.mail);
const record = new RunningRecord(
  takeThreadSlot(new Int32Array(shared.threadSlots), threadId),
  shared.runningFile,
);

/** Takes calls until it is told to end; the default export is what Piscina calls. */
export default function serve({ port, cells }: ThreadTask): Promise<void> {
  return new Promise((resolve) => {
    new GuestThread(port, cells, () => {
      port.close();
      resolve();
    });
  });
}

class GuestThread {
  readonly #port: MessagePort;
  readonly #outbox: Outbox;
  readonly #onEnd: () => void;
  readonly #turns: Turns;
  readonly #share: ThreadShare;
  readonly #instances = new Instances();
  readonly #modules = new ModuleCache();
  /** Calls that have begun and not ended, by slot. */
  readonly #running: (CallRun | undefined)[] = [];
  /** What is kept of them, by slot. */
  readonly #states: (CallState | undefined)[] = [];
  readonly #streams = (state: CallState): StreamPort => streamPort(this.#port, state);
  /** Who waits for an errand to be done, by slot. */
  readonly #waiting = new Map<number, (reply: ErrandReply) => void>();

  constructor(port: MessagePort, cells: SharedArrayBuffer, onEnd: () => void) {
    const heartbeat = new Int32Array(cells, threadCell.heartbeat * 4, 1);
    const ownPages = new Int32Array(cells, threadCell.heldPages * 4, 1);
    this.#port = port;
    this.#onEnd = onEnd;
    this.#outbox = new Outbox(port);
    const turns = new Turns({
      onPause: this.#outbox.flush,
      onIdle: () => {
        this.#outbox.flush();
        record.end();
      },
    });
    this.#turns = turns;
    this.#share = {
      claims,
      heartbeat,
      clock: new BusyClock(),
      memory: new MemoryBudget(heldPages, ownPages, shared.heldPagesMax),
      now: monotonicMs,
      waits: (slot, waiting) => this.#outbox.waits(slot, waiting),
      line: (versionId, resume) => turns.resume(versionId, resume),
      // The guest is on the stack still; it has left when this turn's microtasks run.
      leaving: () => queueMicrotask(() => turns.released()),
      entering: (versionId) => record.begin(versionId),
    };
    port.on("message", (message: ToThread) => {
      heartbeat[0] = (heartbeat[0] as number) + 1;
      this.#take(message);
      // What has come meanwhile is taken without going through the event loop for each.
      for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
        this.#take(next.message as ToThread);
      }
      turns.now();
    });
    port.postMessage({ kind: "ready", threadId } satisfies FromThread);
  }

  #take(message: ToThread): void {
    if (message.kind === "calls") {
      for (const [key, setup] of message.setups) this.#modules.put(key, setup);
      for (const call of message.calls) this.#turns.begin(() => this.#begin(call));
    } else if (message.kind === "stop") this.#running[message.slot]?.stop();
    else if (message.kind === "replied") this.#waiting.get(message.slot)?.(message.reply);
    else if (message.kind === "taken") {
      this.#states[message.slot]?.writer?.taken(message.bytes, message.buffer);
    } else if (message.kind === "body") {
      const body = this.#states[message.slot]?.body;
      if (message.chunk === null) body?.ended();
      else body?.arrived(message.chunk);
    } else this.#onEnd();
  }

  /** Begins one call; says `released` when it has ended. */
  #begin(call: CallTask | number): void {
    const box = typeof call === "number" ? call : null;
    const slot = typeof call === "number" ? mailbox.slot(call) : call.slot;
    const cached = this.#modules.get(typeof call === "number" ? mailbox.key(call) : call.key);
    if (cached === undefined) return this.#answer(slot, { kind: "module_missing" });
    if (Atomics.compareExchange(claims, slot, claim.posted, claim.begun) !== claim.posted) {
      return this.#answer(slot, { kind: "revoked" });
    }
    const message = typeof call === "number" ? mailbox.request(call) : call.message;
    const bodyComes = typeof call !== "number" && call.bodyComes;
    this.#run(slot, { message, bodyComes }, box, cached).then(
      (result) => this.#answer(slot, result),
      (error: unknown) => {
        // A fault of ours: the thread ends with it, and its calls are told that it was lost.
        queueMicrotask(() => {
          throw error;
        });
      },
    );
  }

  /** `result` is that of a call, or the box in which its answer lies. */
  #answer(slot: number, result: CallResult | number): void {
    if (typeof result === "number") this.#outbox.boxed(result);
    else this.#outbox.answer({ ...result, slot });
    this.#turns.released();
  }

  #errandsOf(slot: number): Errands {
    return {
      run: (errand, message) =>
        new Promise((resolve) => {
          this.#outbox.errand({ slot, errand, message });
          this.#waiting.set(slot, (reply) => {
            this.#waiting.delete(slot);
            resolve(reply);
          });
        }),
      forget: () => void this.#waiting.delete(slot),
    };
  }

  async #run(
    slot: number,
    { message, bodyComes }: Pick<CallTask, "message" | "bodyComes">,
    box: number | null,
    cached: CachedModule,
  ): Promise<CallResult | number> {
    const begunAtMs = monotonicMs();
    const { versionId, cpuMs } = cached;
    const log = new GuestLog((line) => {
      this.#port.postMessage({ kind: "line", slot, line } satisfies FromThread);
    });
    const state = new CallState(message, cached.env, log, cached.setting);
    if (box !== null) state.answerRoom = mailbox.answerRoom(box);
    const run = new CallRun(this.#share, { slot, versionId, cpuMs });
    state.waiter = run;
    state.errands = this.#errandsOf(slot);
    state.bodyComes = bodyComes;
    state.atOnce = cached.memory === null;
    state.slot = slot;
    state.begunAtMs = begunAtMs;
    state.streams = this.#streams;
    this.#running[slot] = run;
    this.#states[slot] = state;
    const call: InstanceCall = { state, check: run.check, pause: run.pause, turn: run.turn, grow: run.grow };
    let instance: Guest | null = null;
    let instantiateMs: number | null = null;
    let failed: Failure | null = null;
    run.enter();
    try {
      const taken = this.#instances.take(cached, call);
      instance = taken.instance;
      if (!run.held.begin(instance.memory, cached.memory?.maximumPages ?? 0)) run.stopped = "memory";
      else if (!taken.started) {
        const starting = instance.start();
        if (starting !== null) await starting;
        this.#instances.started(cached, instance, call);
      }
      instantiateMs = monotonicMs() - begunAtMs;
      state.instantiateMs = instantiateMs;
      if (run.stopped === null) failed = await instance.runEntry();
    } catch (error) {
      if (run.stopped === null) failed = failure(error, state, instance?.growRefusal ?? null);
    }
    run.leave();
    run.held.end();
    this.#running[slot] = undefined;
    this.#states[slot] = undefined;
    state.phase = "ended";
    const answered = failed === null && run.stopped === null && state.hasAnswered;
    if (instance !== null) this.#instances.give(cached, instance, answered);
    instantiateMs ??= run.runMs;
    const timings: Timings = {
      instantiate: instantiateMs,
      run: Math.max(0, run.runMs - instantiateMs),
      cpu: run.cpuMs,
      pageMs: run.held.pageMs,
      hostCalls: state.hostCalls,
    };
    if (run.waitMs > 0) timings.wait = run.waitMs;
    const common = { begunAtMs, timings };
    if (run.stopped === "memory") return { kind: "failed", ...noMemoryRoom, ...common };
    if (run.stopped !== null) {
      return { kind: "stopped", code: run.stopped === "cpu" ? "cpu_exceeded" : null, ...common };
    }
    if (failed !== null) return { kind: "failed", ...failed, ...common };
    const { answer } = state;
    if (answer === null) {
      if (!state.hasAnswered) throw new Error("A call ended well without an answer");
      return { kind: "streamed", ...common };
    }
    if (isOwn(answer)) return { kind: "answered", message: answer, ...common };
    if (box === null) throw new Error("An answer lies in a box that its call does not have");
    mailbox.putAnswer(box, answer.byteLength, begunAtMs, timings);
    return box;
  }
}

/** Whether an answer has memory of its own, and does not lie in a box. */
function isOwn(answer: Uint8Array): answer is Uint8Array<ArrayBuffer> {
  return answer.buffer instanceof ArrayBuffer;
}

/** By which the bodies of one call go to and fro. */
function streamPort(port: MessagePort, { slot, begunAtMs, instantiateMs }: CallState): StreamPort {
  const send = (news: StreamNews, moved: ArrayBuffer[] = []): void => port.postMessage(news, moved);
  return {
    head: (message) => send({ kind: "head", slot, message, begunAtMs, instantiateMs }),
    chunk: (chunk) => send({ kind: "chunk", slot, chunk }, movedWith(chunk)),
    pull: () => send({ kind: "pull", slot }),
    taken: (chunk) => {
      const moved = movedWith(chunk);
      send({ kind: "read", slot, bytes: chunk.byteLength, buffer: moved[0] ?? null }, moved);
    },
  };
}

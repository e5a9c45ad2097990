// Runs a short call here and now, on the thread that asks, in place of handing it to another: what the
// way there and back costs is several times what such a call does. It comes to its end or it has never
// been: a guest that is not done within its budget, would wait, grows its memory or traps is ended by a
// trap, what it wrote is forgotten, and the caller has the call run on a thread, from its beginning.
// What a guest can do until then touches nothing outside its instance.

import { type GuestLogLine, monotonicMs, type Timings } from "../invocation.ts";
import { type Verdict, verdict } from "../prepared-names.ts";
import { trap } from "./at-once.ts";
import { CallState, type Errands, type StreamPort, type Waiter } from "./call-state.ts";
import type { Guest, InstanceCall } from "./guest-instance.ts";
import { GuestLog } from "./guest-log.ts";
import { Instances } from "./instances.ts";
import type { MemoryBudget } from "./memory-budget.ts";
import { type CachedModule, cachedModule } from "./module-cache.ts";
import type { ModuleSetup } from "./protocol.ts";
import type { RunningRecord } from "./running-record.ts";

/**
 * A guest is ended at so many checks, between two of which lie some 100,000 instructions: the first may
 * come soon, because an instance that was set back goes on counting. Or after so many host calls. Counted,
 * because the clock goes on while the machine runs others; a short call gets to neither.
 */
const checksMax = 2;
const hostCallsMax = 128;
/** What it may write into files. */
const filesBytesMax = 65_536;
/** Time after which it is ended all the same, at its next check or host call, ms. */
const budgetMs = 1;
/** The first few host calls do not look at the clock: reading it is a tenth of what a short call takes. */
const hostCallsUntimed = 4;

const pageBytes = 65_536;
/** Room that is fetched for answers at a time; a longer one, and one that finds too little left, has its own. */
const answerRoomBytes = 16_384;

/** Its host calls are looked at before they begin (`#guard`). */
const turn = (): Verdict => verdict.goOn;

export type InlineParts = {
  readonly memory: Pick<MemoryBudget, "hasRoom">;
  readonly record: Pick<RunningRecord, "begin" | "end">;
  /** `monotonicMs` unless given. */
  readonly now?: () => number;
};

export type InlineAnswer = {
  readonly message: Uint8Array<ArrayBuffer>;
  readonly begunAtMs: number;
  readonly timings: Required<Pick<Timings, "instantiate" | "run" | "cpu" | "pageMs" | "hostCalls">>;
  readonly lines: readonly GuestLogLine[];
};

export class InlineRunner {
  readonly #parts: InlineParts;
  readonly #now: () => number;
  readonly #instances = new Instances();
  readonly #modules = new WeakMap<ModuleSetup, CachedModule>();
  /** Where the next answer is put. What has been used of it is never used again. */
  #room = new Uint8Array(0);
  #checks = 0;
  #endsAtMs = 0;
  /** Whether the guest that runs now is to be forgotten. */
  #gaveUp = false;
  /** Pages of its memory, which does not grow. */
  #pages = 0;

  constructor(parts: InlineParts) {
    this.#parts = parts;
    this.#now = parts.now ?? monotonicMs;
  }

  /** The call's answer, or null when it has to run on a thread. */
  run(setup: ModuleSetup, message: Uint8Array): InlineAnswer | null {
    const cached = this.#cached(setup);
    const lines: GuestLogLine[] = [];
    const log = new GuestLog(([timeMs, level, text]) => void lines.push({ timeMs, level, message: text }));
    const state = new CallState(message, cached.env, log, cached.setting);
    state.answerRoom = this.#room;
    state.waiter = this.#waiter;
    state.errands = this.#errands;
    state.guard = this.#guard;
    state.streams = this.#streamsOf;
    const call: InstanceCall = { state, check: this.#check, pause: this.#pause, turn, grow: this.#grow };
    this.#parts.record.begin(cached.versionId);
    const begunAtMs = this.#now();
    this.#endsAtMs = begunAtMs + budgetMs;
    this.#gaveUp = false;
    const startedAtMs = this.#answered(cached, call);
    const wallMs = this.#now() - begunAtMs;
    this.#parts.record.end();
    const { answer } = state;
    if (startedAtMs === null || answer === null) return null;
    const instantiate = startedAtMs - begunAtMs;
    if (answer.buffer === this.#room.buffer) this.#room = this.#room.subarray(answer.byteLength);
    else if (answer.byteLength <= answerRoomBytes) this.#room = new Uint8Array(answerRoomBytes);
    return {
      message: answer as Uint8Array<ArrayBuffer>,
      begunAtMs,
      timings: {
        instantiate,
        run: wallMs - instantiate,
        cpu: wallMs,
        pageMs: this.#pages * wallMs,
        hostCalls: state.hostCalls,
      },
      lines,
    };
  }

  /** When the instance of a call that has come to its end well had started; null when it has not. */
  #answered(cached: CachedModule, call: InstanceCall): number | null {
    let instance: Guest | null = null;
    let startedAtMs: number | null = null;
    let isDone = false;
    try {
      const taken = this.#instances.take(cached, call);
      instance = taken.instance;
      this.#checks = 0;
      // What making it took is spent: thrown away for that, the next one would be as cold, and take as long.
      if (!taken.started) this.#endsAtMs = this.#now() + budgetMs;
      // It is given back, or thrown away, before anything else happens here, and cannot grow.
      this.#pages = instance.memoryBytes / pageBytes;
      if (this.#parts.memory.hasRoom(this.#pages)) {
        const isReady = taken.started || instance.startsAtOnce();
        if (isReady && !taken.started && !this.#gaveUp) this.#instances.started(cached, instance, call);
        startedAtMs = this.#now();
        isDone = isReady && instance.entersAtOnce() && !this.#gaveUp;
      }
    } catch {
      // An active segment that leaves its memory, or no address space for one: a thread finds the words.
    }
    call.state.phase = "ended";
    if (instance !== null) this.#instances.give(cached, instance, isDone);
    return isDone ? startedAtMs : null;
  }

  #cached(setup: ModuleSetup): CachedModule {
    let cached = this.#modules.get(setup);
    if (cached === undefined) {
      cached = cachedModule(setup);
      this.#modules.set(setup, cached);
    }
    return cached;
  }

  #giveUp(): never {
    this.#gaveUp = true;
    return trap();
  }

  readonly #check = (): Verdict => {
    this.#checks += 1;
    if (!this.#gaveUp && this.#checks < checksMax && this.#now() < this.#endsAtMs) return verdict.goOn;
    this.#gaveUp = true;
    return verdict.stop;
  };

  /** Before each host call: a storm of them makes few checks. */
  readonly #guard = (hostCalls: number): void => {
    const isLate = hostCalls >= hostCallsUntimed && this.#now() >= this.#endsAtMs;
    if (this.#gaveUp || hostCalls >= hostCallsMax || isLate) this.#giveUp();
  };

  /** No check asks for it. */
  readonly #pause = (): Verdict => this.#giveUp();

  readonly #grow = (): boolean => this.#giveUp();

  readonly #waiter: Waiter = {
    wait: (_work, abandon) => {
      abandon();
      return this.#giveUp();
    },
    keepResult: () => this.#giveUp(),
    keepFiles: (bytes) => bytes <= filesBytesMax || this.#giveUp(),
    suspends: () => this.#giveUp(),
    // An answer in pieces is none of the short ones: each piece suspends its guest.
    onLeaving: () => this.#giveUp(),
  };

  /** Nothing streams here. */
  readonly #streams: StreamPort = {
    head: () => this.#giveUp(),
    chunk: () => this.#giveUp(),
    pull: () => this.#giveUp(),
    taken: () => {},
  };

  readonly #streamsOf = (): StreamPort => this.#streams;

  readonly #errands: Errands = { run: () => this.#giveUp(), forget: () => {} };
}

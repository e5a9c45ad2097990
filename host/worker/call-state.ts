// What the host keeps for one call while its guest runs: the request, the answer, the count of host
// calls, and whether the call has been stopped. Made for one call and never reused, so nothing of a
// call can be seen by another.

import type { ErrandKind, ErrandReply } from "../invocation.ts";
import { limits } from "../limits.ts";
import type { GuestLog } from "./guest-log.ts";
import { GuestFault, type GuestMemory } from "./guest-memory.ts";

/** starting: the start function runs · running: the entry point runs · ended: no host call answers. */
export type CallPhase = "starting" | "running" | "ended";

export type Waiter = {
  /** Leaves the thread while `work` goes on; `abandon` is called when the call is stopped meanwhile. */
  wait<value>(work: Promise<value>, abandon: () => void): Promise<value>;
  /** Counts the bytes of a result that is kept for the guest; false when there is no room for them. */
  keepResult(bytes: number): boolean;
};

/** Has something done by the main thread; `forget` when nobody waits for it any more. */
export type Errands = {
  run(kind: ErrandKind, message: Uint8Array<ArrayBuffer>): Promise<ErrandReply>;
  forget(): void;
};

const noResult = new Uint8Array(0);

export class CallState {
  phase: CallPhase = "starting";
  /** Set before the guest can run; a module without a memory has none. */
  memory: GuestMemory | null = null;
  /** The first fault met by a host call; a guest that swallows the error it causes cannot undo it. */
  fault: GuestFault | null = null;
  answer: Uint8Array | null = null;
  /** Where its answer is put if it fits; null for memory of its own. */
  answerRoom: Uint8Array | null = null;
  /** By which host calls wait; null where nothing may. */
  waiter: Waiter | null = null;
  /** By which it reaches the main thread; null where nothing may. */
  errands: Errands | null = null;
  /** Called before each host call with the number of those before it; what it throws ends the guest. */
  guard: ((hostCalls: number) => void) | null = null;
  /** Errands made so far, by kind. */
  readonly errandCounts: Record<ErrandKind, number> = { fetch: 0, ask: 0 };
  /** The last host call's result, fetched by `result_read`. */
  result: Uint8Array = noResult;
  #hostCalls = 0;

  /** Host calls made so far. */
  get hostCalls(): number {
    return this.#hostCalls;
  }

  readonly request: Uint8Array;
  readonly env: ReadonlyMap<string, string>;
  readonly log: GuestLog;

  constructor(request: Uint8Array, env: ReadonlyMap<string, string>, log: GuestLog) {
    this.request = request;
    this.env = env;
    this.log = log;
  }

  /** Begins a host call: counts it, and refuses it once the call has a fault or is over. */
  enter(): GuestMemory {
    this.guard?.(this.#hostCalls);
    if (this.fault !== null) throw this.fault;
    if (this.phase === "ended") throw new GuestFault("guest_trapped", "the call is over");
    this.#hostCalls += 1;
    if (this.#hostCalls > limits.hostCallsPerCallMax) {
      throw this.fail("guest_trapped", `more than ${limits.hostCallsPerCallMax} host calls`);
    }
    if (this.memory === null) throw this.fail("bad_guest_output", "the module has no memory");
    return this.memory;
  }

  /** As `enter`, for a host call that may not be made by the start function. */
  enterRunning(name: string): GuestMemory {
    const memory = this.enter();
    if (this.phase !== "running") {
      throw this.fail("guest_trapped", `${name} was called while the start function ran`);
    }
    return memory;
  }

  /** Marks the call as failed and returns what to throw. */
  fail(code: GuestFault["code"], message: string): GuestFault {
    this.fault ??= new GuestFault(code, message);
    return this.fault;
  }
}

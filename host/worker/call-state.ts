// What the host keeps for one call while its guest runs: the request, the answer, the count of host
// calls, and whether the call has been stopped. Made for one call and never reused, so nothing of a
// call can be seen by another.

import type { ErrandKind, ErrandReply } from "../invocation.ts";
import { limits } from "../limits.ts";
import type { Verdict } from "../prepared-names.ts";
import type { Program } from "./abi/wasi/program.ts";
import { trap } from "./at-once.ts";
import { type Directory, emptyTree } from "./filesystem/nodes.ts";
import type { GuestLog } from "./guest-log.ts";
import { GuestFault, type GuestMemory } from "./guest-memory.ts";

/** starting: the start function runs · running: the entry point runs · ended: no host call answers. */
export type CallPhase = "starting" | "running" | "ended";

export type Waiter = {
  /** Leaves the thread while `work` goes on; `abandon` is called when the call is stopped meanwhile. */
  wait<value>(work: Promise<value>, abandon: () => void): Promise<value>;
  /** Counts the bytes of a result that is kept for the guest; false when there is no room for them. */
  keepResult(bytes: number): boolean;
  /** The same for the files that the guest has written. */
  keepFiles(bytes: number): boolean;
};

/** Has something done by the main thread; `forget` when nobody waits for it any more. */
export type Errands = {
  run(kind: ErrandKind, message: Uint8Array<ArrayBuffer>): Promise<ErrandReply>;
  forget(): void;
};

const noResult = new Uint8Array(0);

/** What a program finds around it, the same for all calls of a version. */
export type ProgramSetting = {
  /** The name it is called by, then what the configuration gives it. */
  readonly args: readonly string[];
  /** The files that the version carries. */
  readonly files: Directory;
  /** Whether what it writes to stdout is its answer, or goes to the log. */
  readonly answersOnStdout: boolean;
};

export const noSetting: ProgramSetting = { args: [], files: emptyTree, answersOnStdout: false };

/** What a guest asks between its instructions, for a host call that does as much as thousands of them. */
export type Turn = { readonly check: () => Verdict };

export class CallState {
  phase: CallPhase = "starting";
  /** Set before the guest can run; a module without a memory has none. */
  memory: GuestMemory | null = null;
  /** The first fault met by a host call; a guest that swallows the error it causes cannot undo it. */
  fault: GuestFault | null = null;
  answer: Uint8Array | null = null;
  /** What the guest ended itself with; null as long as it has not. */
  exitCode: number | null = null;
  /** Null until an instance runs for it. */
  turn: Turn | null = null;
  /** What it has of the system interface; null until it uses it. */
  program: Program | null = null;
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
  /** Those of them that ask something of the host beyond its system interface. */
  #serviceCalls = 0;

  /** Host calls made so far. */
  get hostCalls(): number {
    return this.#hostCalls;
  }

  readonly request: Uint8Array;
  readonly env: ReadonlyMap<string, string>;
  readonly log: GuestLog;

  readonly setting: ProgramSetting;

  constructor(
    request: Uint8Array,
    env: ReadonlyMap<string, string>,
    log: GuestLog,
    setting: ProgramSetting = noSetting,
  ) {
    this.request = request;
    this.env = env;
    this.log = log;
    this.setting = setting;
  }

  /** Begins a host call: counts it, and refuses it once the call has a fault or is over. */
  enter(): GuestMemory {
    const memory = this.#begin();
    this.#serviceCalls += 1;
    if (this.#serviceCalls > limits.hostCallsPerCallMax) {
      throw this.fail("guest_trapped", `more than ${limits.hostCallsPerCallMax} host calls`);
    }
    return memory;
  }

  /** As `enter`, for a call of the system interface, which programs make by the thousand. */
  enterSystem(): GuestMemory {
    const memory = this.#begin();
    if (this.#hostCalls > limits.systemCallsPerCallMax) {
      throw this.fail("guest_trapped", `more than ${limits.systemCallsPerCallMax} system calls`);
    }
    return memory;
  }

  #begin(): GuestMemory {
    this.guard?.(this.#hostCalls);
    if (this.fault !== null) throw this.fault;
    if (this.phase === "ended") throw new GuestFault("guest_trapped", "the call is over");
    this.#hostCalls += 1;
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

  /** The guest ends itself: no instruction of it runs any more, whatever it would catch (docs/threat-model.md H10). */
  exit(code: number): never {
    this.exitCode = code;
    this.phase = "ended";
    return trap();
  }

  /** The guest has come to its end: what it has begun to say and not ended is written out. */
  flush(): void {
    this.program?.flush();
  }

  /** Marks the call as failed and returns what to throw. */
  fail(code: GuestFault["code"], message: string): GuestFault {
    this.fault ??= new GuestFault(code, message);
    return this.fault;
  }
}

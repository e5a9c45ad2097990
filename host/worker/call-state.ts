// What the host keeps for one call while its guest runs: the request, the answer, the count of host
// calls, and whether the call has been stopped. Made for one call and never reused, so nothing of a
// call can be seen by another.

import type { ErrandKind, ErrandReply } from "../invocation.ts";
import { limits } from "../limits.ts";
import type { Verdict } from "../prepared-names.ts";
import type { Program } from "./abi/wasi/program.ts";
import { trap } from "./at-once.ts";
import { type BodyPort, BodyReader } from "./body-reader.ts";
import { type Directory, emptyTree } from "./filesystem/nodes.ts";
import type { GuestLog } from "./guest-log.ts";
import { GuestFault, type GuestMemory } from "./guest-memory.ts";
import { type AnswerPort, ResponseWriter } from "./response-writer.ts";

/** starting: the start function runs · running: the entry point runs · ended: no host call answers. */
export type CallPhase = "starting" | "running" | "ended";

export type Waiter = {
  /** Leaves the thread while `work` goes on; `abandon` is called when the call is stopped meanwhile. */
  wait<value>(work: Promise<value>, abandon: () => void): Promise<value>;
  /** Counts the bytes of a result that is kept for the guest; false when there is no room for them. */
  keepResult(bytes: number): boolean;
  /** The same for the files that the guest has written. */
  keepFiles(bytes: number): boolean;
  /** The engine is about to suspend the guest, if only for a moment: ends one that may not be suspended. */
  suspends(): void;
  /** Sets what is called when the guest leaves the thread for a while. */
  onLeaving(flush: () => void): void;
};

/** Something that is waited for, and what lets go of it. */
export type Wait = { readonly done: Promise<void>; readonly cancel: () => void };

/** By which the bodies of a call go to and fro, as far as they do not lie in its messages. */
export type StreamPort = AnswerPort & BodyPort;

/** A guest may make one more host call for so many bytes that it streams. */
const streamedBytesPerHostCall = 1_024;

/** Has something done by the main thread; `forget` when nobody waits for it any more. */
export type Errands = {
  run(kind: ErrandKind, message: Uint8Array<ArrayBuffer>): Promise<ErrandReply>;
  forget(): void;
};

/** What the log says of a function that has begun an answer, or given one, and gives another. */
export const answeredTwice =
  "the function answered twice; once it has begun a stream, handle has to return what its end() gives";

const noResult = new Uint8Array(0);

/** What a program finds around it, the same for all calls of a version. */
export type ProgramSetting = {
  /** The name it is called by, then what the configuration gives it. */
  readonly args: readonly string[];
  /** The files that the version carries. */
  readonly files: Directory;
  /** Whether what it writes to stdout is its answer, or goes to the log. */
  readonly answersOnStdout: boolean;
  readonly secrets: ReadonlyMap<string, string>;
};

export const noSetting: ProgramSetting = {
  args: [],
  files: emptyTree,
  answersOnStdout: false,
  secrets: new Map(),
};

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
  /** Gives that by which its bodies are streamed; null where they are not. */
  streams: ((state: CallState) => StreamPort) | null = null;
  /** Of the call on its thread: its slot, when it began (monotonic), and the time its instance took, ms. */
  slot = -1;
  begunAtMs = 0;
  instantiateMs = 0;
  /** The answer that its guest writes in pieces; null until one has begun. */
  writer: ResponseWriter | null = null;
  /** Whether what its guest writes leaves the thread at once: one that is not metered does not give way. */
  atOnce = false;
  /** Whether its guest reads the body by itself, so that the message it gets is without. */
  headOnly = false;
  /** Whether its body comes as it is read, in place of lying behind the head. */
  bodyComes = false;
  /** Called before each host call with the number of those before it; what it throws ends the guest. */
  guard: ((hostCalls: number) => void) | null = null;
  /** Errands made so far, by kind. */
  readonly errandCounts: Record<ErrandKind, number> = { fetch: 0, ask: 0 };
  /** The last host call's result, fetched by `result_read`. */
  result: Uint8Array = noResult;
  #hostCalls = 0;
  /** Those of them that ask something of the host beyond its system interface. */
  #serviceCalls = 0;
  #streamedBytes = 0;
  #body: BodyReader | null = null;

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
    if (this.#serviceCalls > limits.hostCallsPerCallMax + this.#callsForStreams) {
      throw this.fail("guest_trapped", `more than ${limits.hostCallsPerCallMax} host calls`);
    }
    return memory;
  }

  /** As `enter`, for a call of the system interface, which programs make by the thousand. */
  enterSystem(): GuestMemory {
    const memory = this.#begin();
    if (this.#hostCalls > limits.systemCallsPerCallMax + this.#callsForStreams) {
      throw this.fail("guest_trapped", `more than ${limits.systemCallsPerCallMax} system calls`);
    }
    return memory;
  }

  get #callsForStreams(): number {
    return this.#streamedBytes / streamedBytesPerHostCall;
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

  /** Keeps a fault that is about to be thrown into the guest, which may swallow it; returns it. */
  recorded(error: unknown): unknown {
    if (error instanceof GuestFault) this.fault ??= error;
    return error;
  }

  /** Whether the guest has given its answer, whole. */
  get hasAnswered(): boolean {
    return this.answer !== null || this.writer?.isEnded === true;
  }

  /** The request's body, whether it came with the request or comes as it is read. */
  get body(): BodyReader {
    this.#body ??= this.bodyComes
      ? BodyReader.ofPort(this.#streams(), this.#waiter())
      : BodyReader.ofBytes(this.request.subarray(bodyStart(this.request)));
    return this.#body;
  }

  /** The request message as its guest reads it. */
  get message(): Uint8Array {
    return this.headOnly ? this.request.subarray(0, bodyStart(this.request)) : this.request;
  }

  /** Begins an answer that is written in pieces; `head` is a response message without a body. */
  beginAnswer(head: Uint8Array<ArrayBuffer>): ResponseWriter {
    if (this.writer !== null || this.answer !== null) {
      throw new GuestFault("bad_guest_output", answeredTwice);
    }
    const { atOnce } = this;
    this.writer = new ResponseWriter({ head, port: this.#streams(), waiter: this.#waiter(), atOnce });
    return this.writer;
  }

  /** Ends that answer. */
  endAnswer(): void {
    if (this.writer === null) throw new GuestFault("bad_guest_output", "the function ended no answer");
    this.answer = this.writer.end();
  }

  /** Counts bytes of a body that went through a host call, which allow more of them. */
  streamed(bytes: number): void {
    this.#streamedBytes += bytes;
  }

  #streams(): StreamPort {
    if (this.streams === null) throw new Error("A guest ran with nothing to stream by");
    return this.streams(this);
  }

  #waiter(): Waiter {
    if (this.waiter === null) throw new Error("A guest ran with nothing to wait by");
    return this.waiter;
  }

  /** Marks the call as failed and returns what to throw. */
  fail(code: GuestFault["code"], message: string): GuestFault {
    this.fault ??= new GuestFault(code, message);
    return this.fault;
  }
}

/** Where the body begins in a request message: the host wrote it, and the inspector's is empty. */
function bodyStart(message: Uint8Array): number {
  if (message.byteLength < 4) return message.byteLength;
  return 4 + new DataView(message.buffer, message.byteOffset, 4).getUint32(0, true);
}

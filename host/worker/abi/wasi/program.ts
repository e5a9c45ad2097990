// What one call has of the system interface: its descriptors, its file system, its arguments and environment.
// Made when it first asks for something of it; nothing of it outlives the call.

import type { GuestFaultCode } from "../../../invocation.ts";
import { verdict } from "../../../prepared-names.ts";
import { trap } from "../../at-once.ts";
import type { CallState, Wait } from "../../call-state.ts";
import { FileSystem } from "../../filesystem/file-system.ts";
import type { GuestMemory } from "../../guest-memory.ts";
import { wouldWait } from "../../may-wait.ts";
import { CgiAnswer } from "./cgi-answer.ts";
import { environmentOf } from "./cgi-environment.ts";
import { type Descriptor, Descriptors } from "./descriptors.ts";
import { BodySource, LineLog } from "./streams.ts";

/** The descriptor under which a program has "/". */
const rootName = "/";

/** The monotonic clock begins so late, ms: some runtimes take 0 for a broken clock. */
const clockStartMs = 1_000;

/** What one system call takes beside what it moves, as bytes that are moved in that time. */
const callBytes = 2_048;
/** After so many bytes moved the guest is asked to go on: half a millisecond, as after 100,000 instructions. */
const turnBytes = 4 * 1024 * 1024;

export class Program {
  readonly descriptors: Descriptors;
  readonly files: FileSystem;
  readonly output: CgiAnswer;
  readonly #state: CallState;
  readonly #logs: readonly LineLog[];
  readonly #beganMs = performance.now();
  #environment: readonly Uint8Array[] | null = null;
  #args: readonly Uint8Array[] | null = null;
  /** Of files and of the answer, as the host keeps them. */
  #heldBytes = 0;
  #movedBytes = 0;

  constructor(state: CallState) {
    const { setting, log } = state;
    this.#state = state;
    this.files = new FileSystem(setting.files, (bytes) => this.#hold(bytes), Date.now);
    this.output = new CgiAnswer(
      state,
      (bytes) => this.#hold(bytes),
      (code, reason) => this.#end(code, reason),
    );
    const errors = new LineLog(log);
    const lines = setting.answersOnStdout ? null : new LineLog(log);
    this.#logs = lines === null ? [errors] : [lines, errors];
    this.descriptors = new Descriptors([
      { kind: "source", source: new BodySource(state), nonblocking: false },
      { kind: "sink", sink: lines ?? this.output, nonblocking: false },
      { kind: "sink", sink: errors, nonblocking: false },
      { kind: "directory", node: this.files.root, preopenedAs: rootName },
    ]);
  }

  get memory(): GuestMemory {
    const { memory } = this.#state;
    if (memory === null) throw new Error("A system call was begun without a memory");
    return memory;
  }

  get args(): readonly Uint8Array[] {
    this.#args ??= this.#state.setting.args.map((argument) => Buffer.from(argument));
    return this.#args;
  }

  get environment(): readonly Uint8Array[] {
    const { request, env, bodyComes } = this.#state;
    this.#environment ??= environmentOf(request, env, bodyComes);
    return this.#environment;
  }

  /** Of the monotonic clock, whole: a finer one would tell more about others than about itself. */
  get clockMs(): number {
    return clockStartMs + Math.floor(performance.now() - this.#beganMs);
  }

  flush(): void {
    for (const log of this.#logs) log.flush();
  }

  /** A descriptor is gone. */
  closed(descriptor: Descriptor): void {
    if (descriptor.kind === "file") this.files.closed(descriptor.node);
  }

  /** Ends the call for what the guest did: no instruction of it runs any more. */
  #end(code: GuestFaultCode, reason: string): never {
    this.#state.fail(code, reason);
    return trap();
  }

  /** Leaves the thread until a system call may go on; `name` is that call's. */
  wait({ done, cancel }: Wait, name: string): Promise<void> {
    const { phase, waiter } = this.#state;
    if (phase !== "running" || waiter === null) {
      cancel();
      throw this.#state.fail("guest_trapped", `${name} was to wait while the start function ran`);
    }
    return waiter.wait(done, cancel);
  }

  /** Of a system call that would have to wait: its guest is about to be suspended, or ended where it may not be. */
  wouldWait(): typeof wouldWait {
    this.#state.waiter?.suspends();
    return wouldWait;
  }

  /** Ends a system call that moved so many bytes: one that may not go on is ended here. */
  done(code: number, bytes = 0): number {
    this.#movedBytes += callBytes + bytes;
    if (this.#movedBytes < turnBytes) return code;
    this.#movedBytes = 0;
    return this.#state.turn?.check() === verdict.stop ? trap() : code;
  }

  #hold(bytes: number): boolean {
    const { waiter } = this.#state;
    const held = this.#heldBytes + bytes;
    if (waiter !== null && !waiter.keepFiles(held)) return false;
    this.#heldBytes = held;
    return true;
  }
}

/** Begins a system call. */
export function programOf(state: CallState): Program {
  state.enterSystem();
  state.program ??= new Program(state);
  return state.program;
}

// What one call has of the system interface: its descriptors, its file system, its arguments and environment.
// Made when it first asks for something of it; nothing of it outlives the call.

import { limits } from "../../../limits.ts";
import { headEnd } from "../../../messages.ts";
import { verdict } from "../../../prepared-names.ts";
import { trap } from "../../at-once.ts";
import type { CallState } from "../../call-state.ts";
import { FileSystem } from "../../filesystem/file-system.ts";
import type { GuestMemory } from "../../guest-memory.ts";
import { environmentOf } from "./cgi-environment.ts";
import { type Descriptor, Descriptors } from "./descriptors.ts";
import { BytesSource, Gathered, LineLog } from "./streams.ts";

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
  readonly output: Gathered;
  readonly #state: CallState;
  readonly #logs: readonly LineLog[];
  readonly #beganMs = performance.now();
  #environment: readonly Uint8Array[] | null = null;
  #args: readonly Uint8Array[] | null = null;
  /** Of files and of the answer, as the host keeps them. */
  #heldBytes = 0;
  #movedBytes = 0;

  constructor(state: CallState) {
    const { setting, request, log } = state;
    this.#state = state;
    this.files = new FileSystem(setting.files, (bytes) => this.#hold(bytes), Date.now);
    this.output = new Gathered(limits.responseBodyBytesMax + limits.responseHeaderBytesMax, (bytes) =>
      this.#hold(bytes),
    );
    const errors = new LineLog(log);
    const lines = setting.answersOnStdout ? null : new LineLog(log);
    this.#logs = lines === null ? [errors] : [lines, errors];
    const bodyStart = request.byteLength === 0 ? 0 : headEnd(request);
    this.descriptors = new Descriptors([
      { kind: "source", source: new BytesSource(request, bodyStart) },
      { kind: "sink", sink: lines ?? this.output },
      { kind: "sink", sink: errors },
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
    this.#environment ??= environmentOf(this.#state.request, this.#state.env);
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
  end(reason: string): never {
    this.#state.fail("bad_guest_output", reason);
    return trap();
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

// A component's instance as host functions see it: its memory, its allocator, the call it runs now and the
// resources of that call. Every look into its memory is checked here; a pointer that leaves it, or is not
// aligned, is the guest's fault (docs/threat-model.md C1-C5).

import { limits } from "../../../limits.ts";
import { verdict } from "../../../prepared-names.ts";
import { trap } from "../../at-once.ts";
import type { CallState, Waiter } from "../../call-state.ts";
import { GuestFault } from "../../guest-memory.ts";
import { ComponentCall } from "./component-call.ts";
import { Holdings } from "./holdings.ts";

/** The guest's own allocator: (old, had, align, bytes) -> pointer. */
export type Realloc = (old: number, had: number, align: number, bytes: number) => number;

/** What one host call takes beside what it moves, as bytes that are moved in that time. */
const callBytes = 4_096;
/** Half a millisecond, as 100,000 instructions take. */
const turnBytes = 4 * 1024 * 1024;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export class ComponentGuest {
  readonly memory: WebAssembly.Memory | null;
  /** The call it runs now, and what WASI keeps for it. */
  state: CallState;
  call: ComponentCall;
  /** Checks it may still make while the host waits for its allocator; null while it runs by itself. */
  allocationChecks: number | null = null;
  /** Whether the call finds what the one before has left. */
  isContinued = false;
  /** Strings and bytes that host calls have been given, in all. */
  givenBytes = 0;
  #movedBytes = 0;
  /** Checks that are left to the allocator in this host call. */
  #checksLeft = 0;
  /** What an instance that goes on as it is has of the call before. */
  #kept: Holdings | null = null;
  #view = new DataView(new ArrayBuffer(0));

  constructor(memory: WebAssembly.Memory | null, state: CallState) {
    this.memory = memory;
    this.state = state;
    this.call = new ComponentCall(state, new Holdings());
  }

  /** Makes it run for another call from now on. */
  begin(state: CallState): void {
    this.state = state;
    this.call = new ComponentCall(state, this.#kept ?? new Holdings());
    this.isContinued = this.#kept !== null;
    this.#kept = null;
  }

  /** Its handles are those of the next call too; false when it holds too much. */
  goesOn(): boolean {
    this.#kept = this.call.holdings;
    return this.#kept.callEnded();
  }

  get waiter(): Waiter {
    const { waiter } = this.state;
    if (waiter === null) throw new Error("A component ran with nothing to wait by");
    return waiter;
  }

  /** Begins a host call, which the guest's allocator may make none of (CanonicalABI.md, `may_leave`). */
  enter(): void {
    this.state.enterSystem();
    if (this.allocationChecks !== null) throw this.fault("the component's allocator called the host");
    this.#checksLeft = limits.allocationChecksMax;
  }

  /** Counts what the host does for the guest as bytes that are moved in that time. */
  works(bytes: number): void {
    this.#movedBytes += bytes;
    if (this.state.memory !== null) this.state.memory.moved += bytes;
  }

  /**
   * Ends a host call: after so much done for it the guest is asked whether it may go on, as it is asked after
   * so many instructions.
   */
  worked(): void {
    this.#movedBytes += callBytes;
    if (this.#movedBytes < turnBytes) return;
    this.#movedBytes = 0;
    if (this.state.turn?.check() === verdict.stop) trap();
  }

  /** What breaks the rules between guest and host. */
  fault(message: string): GuestFault {
    return new GuestFault("bad_guest_output", message);
  }

  /** The whole memory as it is now, after a check that the range lies in it. */
  view(at: number, bytes: number, align = 1): DataView {
    const buffer = this.memory?.buffer;
    if (buffer === undefined) throw this.fault("the component has no memory");
    if (this.#view.buffer !== buffer) this.#view = new DataView(buffer as ArrayBuffer);
    if (at + bytes > this.#view.byteLength) {
      throw this.fault(
        `a pointer leaves the memory: ${at} + ${bytes}, memory has ${this.#view.byteLength} bytes`,
      );
    }
    if (at % align !== 0) throw this.fault(`a pointer is not aligned: ${at}, want a multiple of ${align}`);
    return this.#view;
  }

  /** Bytes of the memory, valid until the guest runs again. */
  bytes(at: number, length: number): Uint8Array<ArrayBuffer> {
    const { buffer } = this.view(at, length);
    this.works(length);
    return new Uint8Array(buffer as ArrayBuffer, at, length);
  }

  /** As `bytes`, of what the guest gives the host. */
  given(at: number, length: number): Uint8Array<ArrayBuffer> {
    this.givenBytes += length;
    return this.bytes(at, length);
  }

  text(at: number, length: number): string {
    if (length > limits.hostCallBytesMax) {
      throw this.fault(`a string has ${length} bytes, limit is ${limits.hostCallBytesMax}`);
    }
    try {
      return utf8.decode(this.given(at, length));
    } catch (error) {
      if (error instanceof GuestFault) throw error;
      throw this.fault("a string is not UTF-8");
    }
  }

  /** Has the guest allocate; its code runs within, cannot be suspended, and gets little time. */
  allocate(realloc: Realloc | null, bytes: number, align: number): number {
    if (bytes === 0) return align;
    if (realloc === null) throw this.fault("the component names no allocator for what the host answers");
    this.allocationChecks = this.#checksLeft;
    try {
      const at = realloc(0, 0, align, bytes) >>> 0;
      this.view(at, bytes, align);
      return at;
    } finally {
      this.#checksLeft = this.allocationChecks ?? 0;
      this.allocationChecks = null;
    }
  }
}

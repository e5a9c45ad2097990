// What the thread, the inspector and the keeper of idle instances know of an instance, whether it is that of
// a module (instance.ts) or those of a component (component-instance.ts).

import type { Verdict } from "../prepared-names.ts";
import type { CallState } from "./call-state.ts";
import type { Failure, GrowRefusal } from "./failure.ts";

/**
 * A call as an instance sees it. `check`, `pause`, `turn` and `grow` are what a metered guest calls
 * (`prepared-names.ts`); a pause may answer later. Its turn is asked for when host calls have moved bytes.
 */
export type InstanceCall = {
  readonly state: CallState;
  readonly check: () => Verdict;
  readonly pause: () => Verdict | Promise<Verdict>;
  readonly turn: () => Verdict;
  /** Whether there is room for its memory to grow by so many pages. */
  readonly grow: (pages: number) => boolean;
};

export type Guest = {
  readonly memory: WebAssembly.Memory | null;
  /** Bytes of its memory. */
  readonly memoryBytes: number;
  /** The mutable globals, all numbers, when it can be reset. */
  readonly globals: readonly WebAssembly.Global[];
  /** Whether it has something of the host, as a handle, without which its memory is no good to a later call. */
  readonly holdsOfHost: boolean;
  /** Calls it has been bound to. */
  readonly calls: number;
  /** Makes it run for `call` from now on. */
  bind(call: InstanceCall): void;
  /**
   * Runs what initialises it, once in the life of an instance; null when there is nothing. Rejects with
   * what the guest's trap throws.
   */
  start(): Promise<void> | null;
  /** As `start`, whole before it returns; false when the guest trapped. Nothing it imports may suspend it. */
  startsAtOnce(): boolean;
  /** Runs the entry point; null when it answered, else what to tell the caller. Rejects as `start`. */
  runEntry(): Promise<Failure | null>;
  /** As `runEntry`, whole before it returns: whether it answered well. Nothing it imports may suspend it. */
  entersAtOnce(): boolean;
  /** Makes it ready to go on as it is for another call; false when it holds too much for that. */
  goesOn(): boolean;
  /** What refused the guest to grow its memory, when that was refused. */
  readonly growRefusal: GrowRefusal | null;
};

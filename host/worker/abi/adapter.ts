// What tells one ABI from another, once a module is an instance: which exports initialise it, which one runs a
// call, and how what that left behind becomes the answer message (docs/abi.md). One adapter per ABI.

import type { ModuleDeclarations } from "../../wasm/inspection.ts";
import type { CallState } from "../call-state.ts";
import type { Failure } from "../failure.ts";

export type GuestExport = (...args: never[]) => unknown;

/** The entry of one instance, which runs one call after another when it is set back in between. */
export type Entry = {
  /** Runs it for a call, of which the host calls may suspend the guest. Rejects with what its trap throws. */
  run(state: CallState): Promise<void>;
  /** As `run`, whole before it returns; false when it trapped. Nothing it imports may suspend it. */
  runAtOnce(state: CallState): boolean;
};

export type Adapter = {
  /** The export that runs a call. */
  readonly entryExport: string;
  /** The imports by which a guest reads the bodies of requests by itself, as they come. */
  readonly bodyCalls: readonly (readonly [module: string, name: string])[];
  /** What toolchains export for an instance to be initialised by, in the order in which the host runs them. */
  readonly initialisers: readonly string[];
  /** Whether one instance may run call after call as the last one left it. */
  readonly reusable: boolean;
  /** What is wrong with a module that exports `entryExport`; null when it speaks this ABI. */
  refusal(declared: ModuleDeclarations): string | null;
  entry(exported: GuestExport): Entry;
  /**
   * The guest has come to its end, or ended itself: makes its answer of what it left, where it has not given
   * one; or says what to tell the caller where there is none to be made.
   */
  finish(state: CallState): Failure | null;
};

// What a function that a guest may import is, whatever its ABI: its type, what it does, and how it becomes an
// import. Each starts with `enter` of the call's state, which refuses it once the call has failed or is over,
// and a fault is recorded before it is thrown, so that a guest which swallows the error gains nothing.

import type { CallState } from "../call-state.ts";
import { GuestFault } from "../guest-memory.ts";
import { Suspending } from "../jspi.ts";
import { mayWait } from "../may-wait.ts";

/** A host call's WebAssembly type, as parameter and result types. */
export type HostCallType = { readonly params: readonly string[]; readonly results: readonly string[] };

/** An i64 comes as a bigint. */
type GuestValue = number | bigint;

/**
 * One that `suspends` answers a promise: its guest leaves the thread until that is settled. The engine suspends the
 * guest whatever it answers, so it has to go by the call's waiter, which ends a guest that may not be suspended.
 */
export type HostCall = HostCallType & {
  readonly suspends: boolean;
  /** What a call goes on with of which `run` answers that it would wait (may-wait.ts); null for one that never does. */
  readonly later: HostCall["run"] | null;
  run(state: CallState, ...args: GuestValue[]): number | void | Promise<number | void>;
};

/** The functions of one module name, by name. */
export type HostCalls = Readonly<Record<string, HostCall>>;

/** The call that an instance runs now: its imports outlive it when the instance is reset. */
export type Binding = { call: CallState };

export const call = (
  params: readonly string[],
  results: readonly string[],
  run: HostCall["run"],
): HostCall => ({ params, results, run, suspends: false, later: null });

export const suspendingCall = (...parts: Parameters<typeof call>): HostCall => ({
  ...call(...parts),
  suspends: true,
});

const fourWords = ["i32", "i32", "i32", "i32"];

/**
 * One that waits now and then: `run` answers `wouldWait` then, and has done nothing. Where its guest may not be
 * suspended, `run` ends that by the call's waiter instead.
 */
export const callThatMayWait = (run: HostCall["run"], later: HostCall["run"]): HostCall => ({
  ...call(fourWords, ["i32"], run),
  later,
});

/** The import for a host call; records a GuestFault in the call's state before it enters the guest. */
export function bound(binding: Binding, { run, suspends, later }: HostCall): WebAssembly.ImportValue {
  const enter = entering(binding, run);
  if (suspends) return new Suspending(enter);
  // On the main thread no guest is suspended: nor does it pay for what could.
  if (later === null || binding.call.guard !== null) return enter;
  return mayWait(enter, entering(binding, later));
}

function entering(binding: Binding, run: HostCall["run"]) {
  return (...args: GuestValue[]) => {
    const state = binding.call;
    const failed = (error: unknown): never => {
      if (error instanceof GuestFault) state.fault ??= error;
      throw error;
    };
    try {
      const result = run(state, ...args);
      return result instanceof Promise ? result.catch(failed) : result;
    } catch (error) {
      return failed(error);
    }
  };
}

// One call in one fresh instance: set up, run, read the outcome. The inspector runs the same code
// for its trial instantiation. Never resolves or copies the exports (docs/threat-model.md H9): it reads the few
// names it knows.

import type { CallResult, Timings } from "../invocation.ts";
import { checkName, growRefusedName, hostMemoryName, hostModuleName, startName } from "../prepared-names.ts";
import { printable } from "../printable.ts";
import type { CallState } from "./call-state.ts";
import { GuestFault, GuestMemory } from "./guest-memory.ts";
import { hostCallImports } from "./host-calls.ts";

export const entryExport = "mayfly_handle";

export type Runnable = {
  readonly module: WebAssembly.Module;
  /** The offered imports it names. */
  readonly wanted: readonly (readonly [string, string])[];
  /** Whether it has a start function, which the host runs. */
  readonly hasStart: boolean;
};

/** What is to be known of a compiled module before each of its instances. */
export function runnable(module: WebAssembly.Module): Runnable {
  return {
    module,
    wanted: wantedImports(module),
    hasStart: WebAssembly.Module.exports(module).some(({ name }) => name === startName),
  };
}

/** The imports of a compiled module that a host call serves. */
function wantedImports(module: WebAssembly.Module): readonly (readonly [string, string])[] {
  return WebAssembly.Module.imports(module)
    .filter((entry) => entry.module !== hostModuleName)
    .map((entry) => [entry.module, entry.name] as const);
}

/**
 * Instantiates and runs the start function. `check` is what a metered guest asks whether to go on.
 * Throws what the guest's trap throws.
 */
export function instantiate(
  { module, wanted, hasStart }: Runnable,
  state: CallState,
  memory: WebAssembly.Memory | null,
  check: () => number,
): WebAssembly.Instance {
  const imports = hostCallImports(state, wanted);
  const own: Record<string, WebAssembly.ImportValue> = Object.create(null);
  own[checkName] = check;
  if (memory !== null) {
    state.memory = new GuestMemory(memory);
    own[hostMemoryName] = memory;
  }
  imports[hostModuleName] = own;
  const instance = new WebAssembly.Instance(module, imports);
  if (hasStart) (instance.exports[startName] as () => void)();
  return instance;
}

type Failure = Pick<Extract<CallResult, { kind: "failed" }>, "code" | "detail">;

/** Runs the entry point; null when it answered, else what to tell the caller. */
export function runEntry(instance: WebAssembly.Instance, state: CallState): Failure | null {
  const entry = instance.exports[entryExport];
  if (typeof entry !== "function") throw new Error(`The module lost its export ${entryExport}`);
  state.phase = "running";
  entry(state.request.byteLength);
  return outcome(state);
}

function outcome(state: CallState): Failure | null {
  // A guest that swallowed the error of a host call and went on is no better for it (docs/threat-model.md H10).
  if (state.fault !== null) return failure(state.fault, state, false);
  if (state.answer === null) return { code: "bad_guest_output", detail: "The function gave no answer" };
  return null;
}

/** Names what ended a call, and writes the reason to the function's own log. */
export function failure(error: unknown, state: CallState, growRefused: boolean): Failure {
  const cause = state.fault ?? error;
  if (cause instanceof GuestFault && cause.code === "bad_guest_output") {
    state.log.writeOwn("error", `bad output: ${cause.message}`);
    return {
      code: "bad_guest_output",
      detail: "The function broke the rules of the ABI; its log has the reason",
    };
  }
  state.log.writeOwn("error", trapText(cause) + guestStack(error));
  if (growRefused) {
    return { code: "memory_exceeded", detail: "The function trapped after its memory limit refused to grow" };
  }
  return { code: "guest_trapped", detail: "The function trapped; its log has the reason" };
}

/** Whether the memory's maximum refused the guest to grow. */
export function growWasRefused(instance: WebAssembly.Instance | null): boolean {
  const flag = instance?.exports[growRefusedName];
  return flag instanceof WebAssembly.Global && flag.value === 1;
}

/** One line on what ended the guest. */
export function trapText(cause: unknown): string {
  if (cause instanceof GuestFault) return cause.message;
  if (cause instanceof RangeError && /call stack/i.test(cause.message)) return "trap: stack overflow";
  if (cause instanceof WebAssembly.Exception) return "trap: uncaught exception";
  if (cause instanceof Error) return `trap: ${cause.message}`;
  return "trap: uncaught exception";
}

/** The guest's frames of an error's stack, none of the host's. Function names are the guest's text. */
function guestStack(error: unknown): string {
  if (!(error instanceof Error) || typeof error.stack !== "string") return "";
  const frames = error.stack
    .split("\n")
    .map((line) => /^\s+at (.{0,200}?) \(?wasm:\/\/\S*?(wasm-function\[\d+\]:0x[0-9a-f]+)\)?$/.exec(line))
    .filter((match) => match !== null)
    .slice(0, 16)
    .map((match) => `\n    at ${printable(match[1] ?? "")} (${match[2]})`);
  return frames.join("");
}

/** Milliseconds between two readings, to the microsecond. */
export function elapsedMs(fromMs: number, toMs: number): number {
  return Math.round((toMs - fromMs) * 1000) / 1000;
}

export type { Timings };

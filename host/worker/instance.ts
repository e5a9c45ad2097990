// One instance of a guest: its imports, its memory, its entry points. It runs one call after another
// only when it is set back to its image in between (image.ts). The inspector runs the same code for its
// trial. Never resolves or copies the exports (docs/threat-model.md H9): it reads the few names it knows.

import {
  checkName,
  globalPrefix,
  growRefusedName,
  hostMemoryName,
  hostModuleName,
  startName,
} from "../prepared-names.ts";
import type { CallState } from "./call-state.ts";
import type { Failure } from "./failure.ts";
import { failure } from "./failure.ts";
import { GuestMemory } from "./guest-memory.ts";
import { type Binding, hostCallImports } from "./host-calls.ts";

export const entryExport = "mayfly_handle";

export type Runnable = {
  readonly module: WebAssembly.Module;
  /** The offered imports it names. */
  readonly wanted: readonly (readonly [string, string])[];
  /** Whether it has a start function, which the host runs. */
  readonly hasStart: boolean;
  /** Names under which it exports its mutable globals for being reset. */
  readonly globals: readonly string[];
};

/** What is to be known of a compiled module before each of its instances. */
export function runnable(module: WebAssembly.Module): Runnable {
  const names = WebAssembly.Module.exports(module).map(({ name }) => name);
  return {
    module,
    wanted: wantedImports(module),
    hasStart: names.includes(startName),
    globals: names.filter((name) => name.startsWith(globalPrefix) || name === growRefusedName),
  };
}

/** The imports of a compiled module that a host call serves. */
function wantedImports(module: WebAssembly.Module): readonly (readonly [string, string])[] {
  return WebAssembly.Module.imports(module)
    .filter((entry) => entry.module !== hostModuleName)
    .map((entry) => [entry.module, entry.name] as const);
}

/** A call as an instance sees it; `check` is what a metered guest asks whether to go on. */
export type InstanceCall = { readonly state: CallState; readonly check: () => number };

export class GuestInstance {
  readonly memory: WebAssembly.Memory | null;
  /** The mutable globals, all numbers, when the module can be reset. */
  readonly globals: readonly WebAssembly.Global[];
  readonly #guestMemory: GuestMemory | null;
  readonly #exports: WebAssembly.Exports;
  readonly #hasStart: boolean;
  readonly #binding: Binding;
  #check: () => number = () => 0;

  /** Instantiates for a first call, without running anything but active segments, which may trap. */
  constructor(
    { module, wanted, hasStart, globals }: Runnable,
    memory: WebAssembly.Memory | null,
    call: InstanceCall,
  ) {
    this.memory = memory;
    this.#guestMemory = memory && new GuestMemory(memory);
    this.#hasStart = hasStart;
    this.#binding = { call: call.state };
    this.bind(call);
    const imports = hostCallImports(this.#binding, wanted);
    const own: Record<string, WebAssembly.ImportValue> = Object.create(null);
    own[checkName] = () => this.#check();
    if (memory !== null) own[hostMemoryName] = memory;
    imports[hostModuleName] = own;
    this.#exports = new WebAssembly.Instance(module, imports).exports;
    this.globals = globals.map((name) => this.#exports[name] as WebAssembly.Global);
  }

  /** Makes it run for `call` from now on. */
  bind({ state, check }: InstanceCall): void {
    this.#binding.call = state;
    this.#check = check;
    state.memory = this.#guestMemory;
  }

  /** Runs the start function, once in the life of an instance. Throws what the guest's trap throws. */
  start(): void {
    if (this.#hasStart) (this.#exports[startName] as () => void)();
  }

  /** Runs the entry point; null when it answered, else what to tell the caller. Throws as `start`. */
  runEntry(): Failure | null {
    const entry = this.#exports[entryExport];
    if (typeof entry !== "function") throw new Error(`The module lost its export ${entryExport}`);
    const { call } = this.#binding;
    call.phase = "running";
    entry(call.request.byteLength);
    // A guest that swallowed the error of a host call and went on is no better for it (docs/threat-model.md H10).
    if (call.fault !== null) return failure(call.fault, call, false);
    if (call.answer === null) return { code: "bad_guest_output", detail: "The function gave no answer" };
    return null;
  }

  /** Whether the memory's maximum refused the guest to grow. */
  get growWasRefused(): boolean {
    const flag = this.#exports[growRefusedName];
    return flag instanceof WebAssembly.Global && flag.value === 1;
  }
}

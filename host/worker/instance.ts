// One instance of a guest: its imports, its memory, its entry points. It runs one call after another
// only when it is set back to its image in between (image.ts). The inspector runs the same code for its
// trial. Never resolves or copies the exports (docs/threat-model.md H9): it reads the few names it knows.

import type { ModuleAbi } from "../function.ts";
import {
  checkName,
  globalPrefix,
  growName,
  growRefusedName,
  hostMemoryName,
  hostModuleName,
  pauseName,
  refusedBy,
  startName,
  turnName,
  type Verdict,
  verdict,
} from "../prepared-names.ts";
import type { Adapter, Entry, GuestExport } from "./abi/adapter.ts";
import { adapters, memoryExport } from "./abi/adapters.ts";
import type { Binding } from "./abi/host-call.ts";
import { hostCallImports } from "./abi/offered.ts";
import { startsAtOnce } from "./at-once.ts";
import type { CallState } from "./call-state.ts";
import type { Failure, GrowRefusal } from "./failure.ts";
import { failure } from "./failure.ts";
import type { Guest, InstanceCall } from "./guest-instance.ts";
import { GuestMemory } from "./guest-memory.ts";
import { promising, Suspending } from "./jspi.ts";

export type Runnable = {
  readonly module: WebAssembly.Module;
  readonly adapter: Adapter;
  /** The offered imports it names. */
  readonly wanted: readonly (readonly [string, string])[];
  /** The exports that initialise it, in the order in which the host runs them. */
  readonly initialisers: readonly string[];
  /** Names under which it exports its mutable globals for being reset. */
  readonly globals: readonly string[];
  /** Whether it reads the bodies of requests by itself, as they come. */
  readonly readsBody: boolean;
};

type Declared = {
  /** The imports that a host call serves. */
  readonly wanted: readonly (readonly [string, string])[];
  readonly exports: readonly string[];
};

const declared = new WeakMap<WebAssembly.Module, Declared>();

/**
 * What a compiled module imports and exports. V8 makes the lists anew each time it is asked, which takes longer
 * than an instance: they are read once, when the module is loaded, and not by the first call.
 */
function declaredBy(module: WebAssembly.Module): Declared {
  let known = declared.get(module);
  if (known === undefined) {
    known = {
      wanted: WebAssembly.Module.imports(module)
        .filter((entry) => entry.module !== hostModuleName)
        .map((entry) => [entry.module, entry.name] as const),
      exports: WebAssembly.Module.exports(module).map(({ name }) => name),
    };
    declared.set(module, known);
  }
  return known;
}

/** Whether a compiled module reads the bodies of requests by itself, so that its calls may begin before they are there. */
export function readsBody(module: WebAssembly.Module, abi: ModuleAbi): boolean {
  const { bodyCalls } = adapters[abi];
  return declaredBy(module).wanted.some(([from, name]) =>
    bodyCalls.some(([by, call]) => from === by && name === call),
  );
}

/** What is to be known of a compiled module before each of its instances. */
export function runnable(module: WebAssembly.Module, abi: ModuleAbi): Runnable {
  const adapter = adapters[abi];
  const { wanted, exports } = declaredBy(module);
  return {
    module,
    adapter,
    wanted,
    readsBody: readsBody(module, abi),
    initialisers: [startName, ...adapter.initialisers].filter((name) => exports.includes(name)),
    globals: exports.filter((name) => name.startsWith(globalPrefix) || name === growRefusedName),
  };
}

/** So many bytes are moved in less than a tenth of a guest's slice, and most calls move less in all. */
export const bytesPerTurn = 16 * 1024;

export class GuestInstance implements Guest {
  readonly memory: WebAssembly.Memory | null;
  /** The mutable globals, all numbers, when the module can be reset. */
  readonly globals: readonly WebAssembly.Global[];
  /** Calls it has been bound to. */
  calls = 0;
  readonly #guestMemory: GuestMemory | null;
  readonly #exports: WebAssembly.Exports;
  readonly #binding: Binding;
  #call: InstanceCall;
  readonly #initialisers: readonly (() => void)[];
  readonly #adapter: Adapter;
  readonly #entry: Entry | null;
  readonly #readsBody: boolean;

  /**
   * Instantiates for a first call, without running anything but active segments, which may trap, and the start
   * section of a module that is not metered. `memory` null: it has its own, or none.
   */
  constructor(
    { module, adapter, wanted, initialisers, globals, readsBody }: Runnable,
    memory: WebAssembly.Memory | null,
    call: InstanceCall,
  ) {
    this.memory = memory;
    this.#readsBody = readsBody;
    this.#guestMemory = memory && new GuestMemory(memory);
    this.#binding = { call: call.state };
    this.#call = call;
    this.bind(call);
    const imports = hostCallImports(this.#binding, wanted, readsBody);
    const own: Record<string, WebAssembly.ImportValue> = Object.create(null);
    own[checkName] = () => this.#call.check();
    own[growName] = (pages: number) => Number(this.#call.grow(pages >>> 0));
    own[pauseName] = new Suspending(() => this.#call.pause());
    own[turnName] = () => this.#turn();
    if (memory !== null) own[hostMemoryName] = memory;
    imports[hostModuleName] = own;
    this.#exports = new WebAssembly.Instance(module, imports).exports;
    if (memory === null) {
      // A module that runs as it was uploaded has its own, which there is none of while its start section runs.
      const exported = this.#exports[memoryExport];
      this.memory = exported instanceof WebAssembly.Memory ? exported : null;
      this.#guestMemory = this.memory && new GuestMemory(this.memory);
      call.state.memory = this.#guestMemory;
    }
    const entry = this.#exports[adapter.entryExport];
    this.#adapter = adapter;
    this.#entry = typeof entry === "function" ? adapter.entry(entry as GuestExport) : null;
    this.#initialisers = initialisers
      .map((name) => this.#exports[name])
      .filter((value) => typeof value === "function") as (() => void)[];
    this.globals = globals.map((name) => this.#exports[name] as WebAssembly.Global);
  }

  /** Its memory and globals are all that a call finds: descriptors last for one. */
  readonly holdsOfHost = false;

  /** Makes it run for `call` from now on. */
  bind(call: InstanceCall): void {
    this.calls += 1;
    this.#call = call;
    this.#binding.call = call.state;
    call.state.memory = this.#guestMemory;
    call.state.turn = call;
    call.state.headOnly = this.#readsBody;
  }

  /**
   * Runs what initialises it, once in the life of an instance; null when there is nothing. Rejects with
   * what the guest's trap throws.
   */
  start(): Promise<void> | null {
    const [first, ...others] = this.#initialisers;
    if (first === undefined) return null;
    return others.reduce((before, next) => before.then(promising(next)), promising(first)());
  }

  /** As `start`, whole before it returns; false when the guest trapped. Nothing it imports may suspend it. */
  startsAtOnce(): boolean {
    return this.#initialisers.every((initialise) => startsAtOnce(initialise));
  }

  /** Runs the entry point; null when it answered, else what to tell the caller. Rejects as `start`. */
  async runEntry(): Promise<Failure | null> {
    const { call } = this.#binding;
    const entry = this.#requireEntry();
    call.phase = "running";
    try {
      await entry.run(call);
    } catch (error) {
      // A guest ends itself by a trap, which it cannot catch.
      if (call.exitCode === null) throw error;
    } finally {
      call.flush();
    }
    return this.#finish(call);
  }

  /** As `runEntry`, whole before it returns: whether it answered well. Nothing it imports may suspend it. */
  entersAtOnce(): boolean {
    const { call } = this.#binding;
    const entry = this.#requireEntry();
    call.phase = "running";
    if (!entry.runAtOnce(call) && call.exitCode === null) return false;
    call.flush();
    return this.#finish(call) === null;
  }

  #turn(): Verdict {
    const memory = this.#guestMemory;
    if (memory === null || memory.moved < bytesPerTurn) return verdict.goOn;
    memory.moved = 0;
    return this.#call.turn();
  }

  #finish(call: CallState): Failure | null {
    // A guest that swallowed the error of a host call and went on is no better for it (docs/threat-model.md H10).
    return call.fault === null ? this.#adapter.finish(call) : failure(call.fault, call, null);
  }

  #requireEntry(): Entry {
    if (this.#entry === null) throw new Error(`The module lost its export ${this.#adapter.entryExport}`);
    return this.#entry;
  }

  /** Bytes of its memory. */
  get memoryBytes(): number {
    return this.#guestMemory?.bytes.byteLength ?? 0;
  }

  goesOn(): boolean {
    const flag = this.#exports[growRefusedName];
    // What refused one call is no reason for the next one's trap.
    if (flag instanceof WebAssembly.Global) flag.value = 0;
    return true;
  }

  /** What refused the guest to grow its memory, when that was refused. */
  get growRefusal(): GrowRefusal | null {
    const flag = this.#exports[growRefusedName];
    if (!(flag instanceof WebAssembly.Global)) return null;
    if (flag.value === refusedBy.host) return "host";
    return flag.value === refusedBy.maximum ? "maximum" : null;
  }
}

// The core instances of one component, made and linked by its plan, on one memory that the host supplies. No
// JavaScript is made from a component: imports are functions of ours, bound to this instance, and one core
// instance reaches another directly. The steps are those of the plan; what starts a module runs after its
// step, before the next one's, as the component model has it.

import type { ComponentPlan, CoreImport, ExportRef } from "../component-plan.ts";
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
import { ComponentGuest, type Realloc } from "./abi/component/guest.ts";
import type { HostFunction } from "./abi/component/host-function.ts";
import { IncomingRequest } from "./abi/component/incoming-request.ts";
import { offeredFunction } from "./abi/component/interfaces.ts";
import { ResponseOutparam } from "./abi/component/outgoing-response.ts";
import { handlesAtOnce, startsAtOnce } from "./at-once.ts";
import type { CallState } from "./call-state.ts";
import { type Failure, failure, type GrowRefusal } from "./failure.ts";
import type { Guest, InstanceCall } from "./guest-instance.ts";
import { GuestMemory } from "./guest-memory.ts";
import { bytesPerTurn } from "./instance.ts";
import { promising, Suspending } from "./jspi.ts";

/** A component's plan and its compiled modules. */
export type ComponentCode = {
  readonly plan: ComponentPlan;
  readonly modules: readonly WebAssembly.Module[];
};

type LinkedImport = CoreImport & { readonly host: HostFunction | "drop" | null };

type Step = {
  readonly module: WebAssembly.Module;
  readonly imports: readonly LinkedImport[];
  readonly hasStart: boolean;
  /** Names of the globals by which it is reset. */
  readonly globals: readonly string[];
};

/** What is to be known of a component before each of its instances. */
export type LinkedComponent = { readonly plan: ComponentPlan; readonly steps: readonly Step[] };

export function linkedComponent({ plan, modules }: ComponentCode): LinkedComponent {
  const steps = plan.steps.map(({ module: index, imports }): Step => {
    const module = modules[index] as WebAssembly.Module;
    const names = WebAssembly.Module.exports(module).map(({ name }) => name);
    return {
      module,
      imports: imports.map((entry) => ({ ...entry, host: hostOf(entry) })),
      hasStart: names.includes(startName),
      globals: names.filter((name) => name.startsWith(globalPrefix) || name === growRefusedName),
    };
  });
  return { plan, steps };
}

/** The deployer has seen that each is offered (deploy/component-entry.ts). */
function hostOf({ source }: CoreImport): LinkedImport["host"] {
  return source.kind === "export" ? null : (offeredFunction(source) ?? null);
}

type Handler = (request: number, outparam: number) => void;

export class ComponentInstance implements Guest {
  readonly memory: WebAssembly.Memory | null;
  calls = 0;
  readonly #component: LinkedComponent;
  readonly #guest: ComponentGuest;
  readonly #guestMemory: GuestMemory | null;
  readonly #exports: WebAssembly.Exports[] = [];
  readonly #own: Record<string, WebAssembly.ImportValue> = Object.create(null);
  #call: InstanceCall;
  /** A start function that is to run before the next step. */
  #start: (() => void) | null = null;
  #suspendable: ((request: number, outparam: number) => Promise<void>) | null = null;

  /** Makes instances up to the first one that has to be started; runs nothing but active segments. */
  constructor(component: LinkedComponent, memory: WebAssembly.Memory | null, call: InstanceCall) {
    this.memory = memory;
    this.#component = component;
    this.#guestMemory = memory && new GuestMemory(memory);
    this.#guest = new ComponentGuest(memory, call.state);
    this.#call = call;
    this.#own[checkName] = () => this.#check();
    this.#own[growName] = (pages: number) => Number(this.#call.grow(pages >>> 0));
    this.#own[pauseName] = new Suspending(() => this.#call.pause());
    this.#own[turnName] = () => this.#turn();
    if (memory !== null) this.#own[hostMemoryName] = memory;
    this.bind(call);
    this.#link();
  }

  get memoryBytes(): number {
    return this.#guestMemory?.bytes.byteLength ?? 0;
  }

  get globals(): readonly WebAssembly.Global[] {
    return this.#component.steps.flatMap(({ globals }, index) =>
      globals.map((name) => this.#exports[index]?.[name] as WebAssembly.Global),
    );
  }

  get holdsOfHost(): boolean {
    return this.#guest.call.resources.count > 0;
  }

  bind(call: InstanceCall): void {
    this.calls += 1;
    this.#call = call;
    call.state.memory = this.#guestMemory;
    call.state.turn = call;
    this.#guest.begin(call.state);
  }

  start(): Promise<void> | null {
    return this.#start === null ? null : this.#startAll();
  }

  async #startAll(): Promise<void> {
    for (let start = this.#start; start !== null; start = this.#start) {
      await promising(start)();
      this.#link();
    }
  }

  startsAtOnce(): boolean {
    for (let start = this.#start; start !== null; start = this.#start) {
      if (!startsAtOnce(start)) return false;
      this.#link();
    }
    return true;
  }

  async runEntry(): Promise<Failure | null> {
    const { state } = this.#call;
    this.#suspendable ??= promising(this.#handler());
    const { postReturn } = this.#component.plan;
    state.phase = "running";
    try {
      await this.#suspendable(...this.#handles(state));
      if (postReturn !== null) await promising(this.#exported(postReturn) as () => void)();
    } catch (error) {
      // A guest ends itself by a trap, which it cannot catch.
      if (state.exitCode === null) throw error;
    } finally {
      this.#guest.call.end();
    }
    this.#finish(state);
    return state.fault === null ? null : failure(state.fault, state, null);
  }

  entersAtOnce(): boolean {
    const { state } = this.#call;
    state.phase = "running";
    const [request, outparam] = this.#handles(state);
    const { postReturn } = this.#component.plan;
    const isDone =
      handlesAtOnce(this.#handler(), request, outparam) &&
      (postReturn === null || startsAtOnce(this.#exported(postReturn) as () => void));
    if (!isDone && state.exitCode === null) return false;
    this.#guest.call.end();
    this.#finish(state);
    return state.fault === null;
  }

  goesOn(): boolean {
    // What refused one call is no reason for the next one's trap.
    for (const flag of this.#refusals()) flag.value = 0;
    return this.#guest.goesOn();
  }

  get growRefusal(): GrowRefusal | null {
    for (const { value } of this.#refusals()) {
      if (value === refusedBy.host) return "host";
      if (value === refusedBy.maximum) return "maximum";
    }
    return null;
  }

  #refusals(): WebAssembly.Global[] {
    return this.#exports
      .map((exported) => exported[growRefusedName])
      .filter((flag) => flag instanceof WebAssembly.Global);
  }

  /** Takes steps until one of them has to be started, or there are no more. */
  #link(): void {
    this.#start = null;
    const { steps } = this.#component;
    while (this.#start === null && this.#exports.length < steps.length) {
      const step = steps[this.#exports.length] as Step;
      const exported = new WebAssembly.Instance(step.module, this.#importsOf(step)).exports;
      this.#exports.push(exported);
      if (step.hasStart) this.#start = exported[startName] as () => void;
    }
  }

  /** Import objects without a prototype, with exactly what the plan says in them (docs/threat-model.md H6). */
  #importsOf({ imports }: Step): Record<string, Record<string, WebAssembly.ImportValue>> {
    const given: Record<string, Record<string, WebAssembly.ImportValue>> = Object.create(null);
    for (const entry of imports) {
      given[entry.module] ??= Object.create(null) as Record<string, WebAssembly.ImportValue>;
      (given[entry.module] as Record<string, WebAssembly.ImportValue>)[entry.name] = this.#value(entry);
    }
    given[hostModuleName] = this.#own;
    return given;
  }

  #value({ source, host }: LinkedImport): WebAssembly.ImportValue {
    if (source.kind === "export")
      return this.#exports[source.of.instance]?.[source.of.name] as WebAssembly.ImportValue;
    if (host === null) throw new Error(`A component runs without ${source.interface}`);
    if (host === "drop" || source.kind === "drop") return this.#drop;
    const { realloc } = source;
    if (realloc === null) return host.bind(this.#guest, () => null);
    return host.bind(this.#guest, () => this.#exports[realloc.instance]?.[realloc.name] as Realloc);
  }

  readonly #drop = (handle: number): void => {
    const { state, call } = this.#guest;
    try {
      this.#guest.enter();
      call.resources.take(handle >>> 0).dropped?.();
    } catch (error) {
      throw state.recorded(error);
    }
  };

  /** While the host waits for its allocator the guest cannot be suspended: it goes on, or is ended. */
  #check(): Verdict {
    const left = this.#guest.allocationChecks;
    if (left === null) return this.#call.check();
    this.#guest.allocationChecks = left - 1;
    if (left > 0) return this.#call.check() === verdict.stop ? verdict.stop : verdict.goOn;
    this.#call.state.fail("guest_trapped", "the component's allocator ran too long");
    return verdict.stop;
  }

  /** After host calls that have moved bytes. */
  #turn(): Verdict {
    const memory = this.#guestMemory;
    const isAsked = this.#guest.allocationChecks === null;
    if (memory === null || !isAsked || memory.moved < bytesPerTurn) return verdict.goOn;
    memory.moved = 0;
    return this.#call.turn();
  }

  #handler(): Handler {
    return this.#exported(this.#component.plan.entry) as Handler;
  }

  #exported({ instance, name }: ExportRef): WebAssembly.ExportValue {
    const found = this.#exports[instance]?.[name];
    if (typeof found !== "function") throw new Error("The component lost a function that it exports");
    return found;
  }

  #handles(state: CallState): [request: number, outparam: number] {
    const { resources } = this.#guest.call;
    return [resources.add(new IncomingRequest(state)), resources.add(new ResponseOutparam())];
  }

  #noAnswer(): string {
    if (!this.#guest.isContinued) return "the function gave no answer";
    return `the function gave no answer to call ${this.calls} of its instance; one that takes a single call needs isolation "fresh"`;
  }

  /** The guest has come to its end, or ended itself: makes its answer of what it has set. */
  #finish(state: CallState): void {
    if (state.fault !== null) return;
    const { answered } = this.#guest.call;
    if (answered === false) {
      if (state.exitCode === null) state.fail("bad_guest_output", this.#noAnswer());
      else state.fail("program_failed", `the function ended itself with exit code ${state.exitCode}`);
    } else if (answered !== true) {
      state.fail("bad_guest_output", `the function answered with the error "${answered.error}"`);
    } else if (!state.hasAnswered) {
      state.fail("bad_guest_output", "the function did not finish the body of its answer");
    }
  }
}

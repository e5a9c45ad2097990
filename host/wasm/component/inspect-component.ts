// Reads an uploaded component whole: the core modules in it, each looked at as an upload of its own is, how
// they are linked, and what it asks of the host; or refuses it. Called by the deployer before the engine
// sees a byte, and again when the component is loaded: it costs little more than reading its modules.

import type { ComponentPlan, CoreImport, CoreSource, CoreStep, ExportRef } from "../../component-plan.ts";
import { inspectModule } from "../inspect.ts";
import type { ModuleImport, ModuleInspection } from "../inspection.ts";
import { malformed, ReadFault } from "../read-fault.ts";
import { WasmRefusal } from "../refusal.ts";
import { coreFunctionType } from "./core-types.ts";
import type { ComponentItem, ModuleBytes } from "./definitions.ts";
import {
  type ComponentReading,
  type CoreInstantiation,
  coreExport,
  readComponent,
} from "./read-component.ts";
import { unsupportedPart } from "./refusals.ts";
import { wanted } from "./scope.ts";

const componentHeader = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00);

/** Whether an upload begins as a component does. */
export function isComponent(bytes: Uint8Array): boolean {
  return bytes.length >= 8 && componentHeader.every((byte, index) => bytes[index] === byte);
}

export type ComponentModule = { readonly bytes: Uint8Array; readonly inspection: ModuleInspection };

/** A function that a core module imports, and which of the host's it is given. */
export type WantedFunction = {
  readonly source: Exclude<CoreSource, { kind: "export" }>;
  readonly import: ModuleImport;
};

export type ComponentInspection = {
  /** Null when it exports no incoming handler. */
  readonly plan: ComponentPlan | null;
  readonly modules: readonly ComponentModule[];
  /** Index of the module that brings the memory; null when there is none. */
  readonly memoryModule: number | null;
  /** Names of the interfaces it imports. */
  readonly interfaces: readonly string[];
  /** Names of what it exports. */
  readonly exports: readonly string[];
  /** What it calls of the host. */
  readonly functions: readonly WantedFunction[];
};

const handlerPattern = /^wasi:http\/incoming-handler@0\.2\.\d+$/;

/** Throws a WasmRefusal, nothing else. */
export function inspectComponent(bytes: Uint8Array): ComponentInspection {
  try {
    return inspected(bytes, readComponent(bytes));
  } catch (error) {
    if (!(error instanceof ReadFault)) throw error;
    const { code, feature, offset, wanted: want } = error;
    const action = code === "invalid_module" ? "Cannot read the component" : "Cannot accept the component";
    const where = offset === null ? "" : ` at byte ${offset}`;
    throw new WasmRefusal(code, `${action}: ${error.message}${where}, ${want}`, {
      feature,
      functionIndex: null,
      offset,
    });
  }
}

function inspected(bytes: Uint8Array, reading: ComponentReading): ComponentInspection {
  const modules: ComponentModule[] = [];
  const indices = new Map<number, number>();
  const indexOf = ({ start, end }: ModuleBytes): number => {
    let index = indices.get(start);
    if (index === undefined) {
      const module = bytes.subarray(start, end);
      index = modules.push({ bytes: module, inspection: inspectModule(module, { metered: true }) }) - 1;
      indices.set(start, index);
    }
    return index;
  };
  const functions: WantedFunction[] = [];
  const steps: CoreStep[] = [];
  for (const instantiation of reading.instantiations) {
    const module = indexOf(instantiation.module);
    const { inspection } = modules[module] as ComponentModule;
    const imports = inspection.imports.map((entry) => {
      const source = sourceOf(instantiation, entry);
      if (source.kind !== "export") functions.push({ source, import: entry });
      else assertExported(source.of.name, entry, modules[(steps[source.of.instance] as CoreStep).module]);
      return { module: entry.module, name: entry.name, source } satisfies CoreImport;
    });
    steps.push({ module, imports });
  }
  return {
    plan: planOf(steps, modules, reading),
    modules,
    memoryModule: memoryModule(steps, modules),
    interfaces: reading.imports,
    exports: [...reading.exports.keys()],
    functions,
  };
}

function sourceOf({ module, args }: CoreInstantiation, entry: ModuleImport): CoreSource {
  const instance = args.get(entry.module);
  if (instance === undefined) {
    throw malformed("a core module is instantiated without one of its imports", module.start, wanted);
  }
  if (entry.kind === "tag") throw unsupportedPart("imported-tags", "an exception tag", module.start);
  const item = coreExport(
    instance,
    entry.kind === "function" ? "func" : entry.kind,
    entry.name,
    module.start,
  );
  return item.sort === "func" ? item.value : { kind: "export", of: item.value };
}

/** The engine would say so too, at each call. */
function assertExported(name: string, entry: ModuleImport, module: ComponentModule | undefined): void {
  const found = module?.inspection.exports.find((exported) => exported.name === name);
  if (found?.kind === entry.kind) return;
  throw malformed(`a core module imports a ${entry.kind} that no other exports`, null, wanted);
}

/** The host supplies one memory, which the modules of an ordinary component share. */
function memoryModule(steps: readonly CoreStep[], modules: readonly ComponentModule[]): number | null {
  const owners = steps.filter(({ module }) => {
    const memory = modules[module]?.inspection.memories[0];
    return memory !== undefined && !memory.imported;
  });
  if (owners.length > 1) throw unsupportedPart("several-memories", "core modules with a memory each", 0);
  return owners[0]?.module ?? null;
}

function planOf(
  steps: readonly CoreStep[],
  modules: readonly ComponentModule[],
  { exports }: ComponentReading,
): ComponentPlan | null {
  for (const [name, item] of exports) {
    if (!handlerPattern.test(name)) continue;
    const handler = handlerOf(item);
    if (handler?.core.kind !== "export") continue;
    const entry = handler.core.of;
    const postReturn = handler.postReturn?.kind === "export" ? handler.postReturn.of : null;
    if (handler.postReturn !== null && postReturn === null) {
      throw malformed("what follows the handler is no function of the component's own", null, wanted);
    }
    const hasType = (of: ExportRef, params: string): boolean => {
      const type = coreFunctionType(of, steps, modules);
      return type.params.join() === params && type.results.length === 0;
    };
    if (!hasType(entry, "i32,i32")) {
      throw malformed("the handler has another type than (i32, i32) -> ()", null, wanted);
    }
    if (postReturn !== null && !hasType(postReturn, "")) {
      throw malformed("what follows the handler has another type than () -> ()", null, wanted);
    }
    return { steps, entry, postReturn };
  }
  return null;
}

function handlerOf(item: ComponentItem) {
  if (item.sort !== "instance" || item.value.kind !== "exports") return null;
  const handle = item.value.items.get("handle");
  return handle?.sort === "func" && handle.value.kind === "lifted" ? handle.value : null;
}

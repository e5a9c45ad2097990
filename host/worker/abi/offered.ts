// All that the host offers for import, over all ABIs: a program built for WASI may ask the host's stores, and
// an AssemblyScript-like library may need WASI for its libc. This is the allow-list that the inspector and the
// deployer hold an upload against. The import objects have no prototype and are frozen.

import { env, mayfly } from "./assemblyscript/host-calls.ts";
import { type Binding, bound, type HostCall, type HostCalls, type HostCallType } from "./host-call.ts";
import { preview1, preview1Module } from "./wasi/preview1.ts";

const modules: ReadonlyMap<string, HostCalls> = new Map([
  ["mayfly", mayfly],
  ["env", env],
  [preview1Module, preview1],
]);

/** Own properties alone count (docs/threat-model.md H6). */
function offered(module: string, name: string): HostCall | undefined {
  const group = modules.get(module);
  return group !== undefined && Object.hasOwn(group, name) ? group[name] : undefined;
}

/** The type of an offered import, or undefined. */
export function hostCallType(module: string, name: string): HostCallType | undefined {
  return offered(module, name);
}

/** The import objects of one instance, with exactly `wanted` in them; `readsBody` as in `Runnable`. */
export function hostCallImports(
  binding: Binding,
  wanted: readonly (readonly [module: string, name: string])[],
  readsBody: boolean,
): Record<string, Record<string, WebAssembly.ImportValue>> {
  const imports: Record<string, Record<string, WebAssembly.ImportValue>> = Object.create(null);
  for (const [module, name] of wanted) {
    const found = offered(module, name);
    if (found === undefined) continue;
    imports[module] ??= Object.create(null) as Record<string, WebAssembly.ImportValue>;
    // A body that lies in the message is there: the engine suspends a guest whatever such a call answers.
    const suspends = found.suspends && (name !== "body_rest" || readsBody);
    imports[module][name] = bound(binding, { ...found, suspends });
  }
  for (const group of Object.values(imports)) Object.freeze(group);
  return imports;
}

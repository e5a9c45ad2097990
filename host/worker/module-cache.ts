// The compiled modules a thread has been given. The pool keeps no exact copy of this list: a thread
// that lacks a module answers `module_missing` and is given it.

import { ModuleLru } from "../module-lru.ts";
import { type Runnable, runnable } from "./instance.ts";
import type { ModuleSetup, SetupKey } from "./protocol.ts";

export type CachedModule = Runnable & {
  readonly versionId: number;
  readonly cpuMs: number;
  readonly moduleBytes: number;
  readonly memory: ModuleSetup["memory"];
  readonly instances: ModuleSetup["instances"];
  readonly env: ReadonlyMap<string, string>;
};

/** What a thread makes of a set-up, once. */
export function cachedModule(setup: ModuleSetup): CachedModule {
  const { versionId, cpuMs, module, moduleBytes, memory, instances, env } = setup;
  return { ...runnable(module), versionId, cpuMs, moduleBytes, memory, instances, env: new Map(env) };
}

export class ModuleCache {
  readonly #modules = new ModuleLru<SetupKey, CachedModule>();

  put(key: SetupKey, setup: ModuleSetup): void {
    this.#modules.put(key, cachedModule(setup));
  }

  get(key: SetupKey): CachedModule | undefined {
    return this.#modules.get(key);
  }
}

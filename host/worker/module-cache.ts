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

export class ModuleCache {
  readonly #modules = new ModuleLru<SetupKey, CachedModule>();

  put(key: SetupKey, setup: ModuleSetup): void {
    const { versionId, cpuMs, module, moduleBytes, memory, instances, env } = setup;
    this.#modules.put(key, {
      ...runnable(module),
      versionId,
      cpuMs,
      moduleBytes,
      memory,
      instances,
      env: new Map(env),
    });
  }

  get(key: SetupKey): CachedModule | undefined {
    return this.#modules.get(key);
  }
}

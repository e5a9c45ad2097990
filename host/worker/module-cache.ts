// The compiled modules a thread has been given, least recently used first out. The pool keeps no
// exact copy of this list: a thread that lacks a module answers `module_missing` and is given it.

import { limits } from "../limits.ts";
import { wantedImports } from "./instance.ts";
import type { ModuleSetup } from "./protocol.ts";

export type CachedModule = {
  readonly module: WebAssembly.Module;
  readonly wanted: readonly (readonly [string, string])[];
  readonly memory: ModuleSetup["memory"];
  readonly env: ReadonlyMap<string, string>;
};

export class ModuleCache {
  readonly #modules = new Map<string, CachedModule>();

  put(key: string, setup: ModuleSetup): void {
    this.#modules.delete(key);
    this.#modules.set(key, {
      module: setup.module,
      wanted: wantedImports(setup.module),
      memory: setup.memory,
      env: new Map(setup.env),
    });
    if (this.#modules.size <= limits.modulesCachedMax) return;
    const [oldest] = this.#modules.keys();
    if (oldest !== undefined) this.#modules.delete(oldest);
  }

  get(key: string): CachedModule | undefined {
    const found = this.#modules.get(key);
    if (found === undefined) return undefined;
    this.#modules.delete(key);
    this.#modules.set(key, found);
    return found;
  }
}

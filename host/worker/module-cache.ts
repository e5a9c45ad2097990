// The compiled modules a thread has been given. The pool keeps no exact copy of this list: a thread
// that lacks a module answers `module_missing` and is given it.

import { decodeTree } from "../files/file-tree.ts";
import { ModuleLru } from "../module-lru.ts";
import type { ProgramSetting } from "./call-state.ts";
import { type Directory, emptyTree, treeOf } from "./filesystem/nodes.ts";
import { type Runnable, runnable } from "./instance.ts";
import type { ModuleSetup, SetupKey } from "./protocol.ts";

export type CachedModule = Runnable & {
  readonly versionId: number;
  readonly cpuMs: number;
  readonly moduleBytes: number;
  readonly memory: ModuleSetup["memory"];
  readonly instances: ModuleSetup["instances"];
  readonly env: ReadonlyMap<string, string>;
  readonly setting: ProgramSetting;
};

/** What a thread makes of a set-up, once. */
export function cachedModule(setup: ModuleSetup): CachedModule {
  const { versionId, cpuMs, module, moduleBytes, abi, memory, instances, env } = setup;
  return {
    ...runnable(module, abi),
    versionId,
    cpuMs,
    moduleBytes,
    memory,
    instances,
    env: new Map(env),
    setting: settingOf(setup),
  };
}

function settingOf({ args, files, abi }: ModuleSetup): ProgramSetting {
  let tree: Directory | null = null;
  return {
    args,
    answersOnStdout: abi === "wasi",
    // Read when a call first asks for something of the system: many never do.
    get files() {
      tree ??= files === null ? emptyTree : treeOf(decodeTree(files));
      return tree;
    },
  };
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

// The compiled modules a thread has been given. The pool keeps no exact copy of this list: a thread
// that lacks a module answers `module_missing` and is given it.

import { decodeTree } from "../files/file-tree.ts";
import { ModuleLru } from "../module-lru.ts";
import type { ProgramSetting } from "./call-state.ts";
import { type LinkedComponent, linkedComponent } from "./component-instance.ts";
import { type Directory, emptyTree, treeOf } from "./filesystem/nodes.ts";
import { type Runnable, runnable } from "./instance.ts";
import type { GuestCode, ModuleSetup, SetupKey } from "./protocol.ts";

/** What is made instances of: a module, or the modules of a component. */
export type Instantiable = Runnable | LinkedComponent;

export type CachedModule = {
  readonly code: Instantiable;
  readonly versionId: number;
  readonly cpuMs: number;
  readonly moduleBytes: number;
  readonly memory: ModuleSetup["memory"];
  readonly instances: ModuleSetup["instances"];
  readonly singleInstances: ModuleSetup["singleInstances"];
  readonly env: ReadonlyMap<string, string>;
  readonly setting: ProgramSetting;
};

/** What a thread makes of a set-up, once. */
export function cachedModule(setup: ModuleSetup): CachedModule {
  const { versionId, cpuMs, code, moduleBytes, memory, instances, singleInstances, env } = setup;
  return {
    code: instantiable(code),
    versionId,
    cpuMs,
    moduleBytes,
    memory,
    instances,
    singleInstances,
    env: new Map(env),
    setting: settingOf(setup),
  };
}

export function instantiable(code: GuestCode): Instantiable {
  return "plan" in code ? linkedComponent(code) : runnable(code.module, code.abi);
}

function settingOf({ args, files, code, secrets }: ModuleSetup): ProgramSetting {
  let tree: Directory | null = null;
  return {
    args,
    secrets: new Map(secrets),
    answersOnStdout: "abi" in code && code.abi === "wasi",
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

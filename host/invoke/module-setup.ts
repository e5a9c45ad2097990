// What a thread needs to run a deployment: how its instances are used, under which bounds, with what around
// them. Made once for each loaded module and configuration, by the invoker.

import { type Deployment, runsOnReset } from "../function.ts";
import { adapters } from "../worker/abi/adapters.ts";
import {
  type GuestCode,
  type InstanceUse,
  type ModuleSetup,
  type SetupKey,
  setupKey,
} from "../worker/protocol.ts";
import type { LoadedModule } from "./modules.ts";

/** WebAssembly pages of 64 KiB in a MiB. */
export const pagesPerMb = 16;

function instanceUse(deployment: Deployment, { resettable }: LoadedModule): InstanceUse {
  // What it keeps in its own memory, and on a heap, cannot be set back, nor counted between calls.
  if (!deployment.metered) return "new";
  const { isolation } = deployment.config;
  // A program runs once, from its start to its end.
  const { abi } = deployment;
  if (isolation === "reuse" && (abi === "component" || adapters[abi].reusable)) return "reuse";
  if (isolation === "snapshot" && resettable) return "snapshot";
  return freshUse(deployment);
}

const freshUse = (deployment: Deployment): "reset" | "new" => (runsOnReset(deployment) ? "reset" : "new");

function guestCode({ abi }: Deployment, { code }: LoadedModule): GuestCode {
  if ("plan" in code) return code;
  if (abi === "component") throw new Error("A component was stored, and a module was loaded");
  return { module: code, abi };
}

const setups = new WeakMap<LoadedModule, Map<SetupKey, ModuleSetup>>();

/** What a thread needs to run a deployment, made once for each. */
export function moduleSetup(deployment: Deployment, loaded: LoadedModule): ModuleSetup {
  const key = setupKey(deployment.id, deployment.configRevision);
  let ofModule = setups.get(loaded);
  if (ofModule === undefined) {
    ofModule = new Map();
    setups.set(loaded, ofModule);
  }
  let setup = ofModule.get(key);
  if (setup === undefined) {
    const limitPages = deployment.config.memoryMb * pagesPerMb;
    // One that is not metered has its own.
    const memory = deployment.metered ? loaded.memory : null;
    setup = {
      versionId: deployment.id,
      cpuMs: deployment.config.cpuMs,
      code: guestCode(deployment, loaded),
      moduleBytes: loaded.moduleBytes,
      memory: memory && {
        initialPages: memory.initialPages,
        maximumPages: Math.min(memory.maximumPages ?? limitPages, limitPages),
      },
      instances: instanceUse(deployment, loaded),
      singleInstances: freshUse(deployment),
      env: Object.entries(deployment.config.env),
      args: [deployment.name, ...deployment.config.args],
      files: loaded.files,
    };
    ofModule.clear();
    ofModule.set(key, setup);
  }
  return setup;
}

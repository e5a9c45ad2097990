// What a thread is given to run a deployment: the module in the form that its configuration asks for, its
// variables, its secrets. Made once for each revision of a configuration, which a changed secret is too.

import { type Deployment, runsOnReset } from "../function.ts";
import { plainName } from "../namespace.ts";
import { adapters } from "../worker/abi/adapters.ts";
import {
  type GuestCode,
  type InstanceUse,
  type ModuleSetup,
  type SetupKey,
  setupKey,
} from "../worker/protocol.ts";
import type { LoadedModule } from "./modules.ts";

/** The secrets of a function, opened, by name. */
export type SecretsOf = (functionName: string) => readonly (readonly [name: string, value: string])[];

/** WebAssembly pages of 64 KiB in a MiB. */
export const pagesPerMb = 16;

const setups = new WeakMap<LoadedModule, Map<SetupKey, ModuleSetup>>();

/** What a thread needs to run a deployment, made once for each. */
export function moduleSetup(deployment: Deployment, loaded: LoadedModule, secretsOf: SecretsOf): ModuleSetup {
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
    const secrets = secretsOf(deployment.name);
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
      env: environmentOf(deployment, secrets),
      secrets,
      args: [plainName(deployment.name), ...deployment.config.args],
      files: loaded.files,
    };
    ofModule.clear();
    ofModule.set(key, setup);
  }
  return setup;
}

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

/** Its variables, and those of its secrets that are to be found among them. */
function environmentOf(
  { config }: Deployment,
  secrets: readonly (readonly [string, string])[],
): [string, string][] {
  const wanted = new Set(config.envSecrets);
  const shown = secrets.filter(([name]) => wanted.has(name));
  return Object.entries({ ...config.env, ...Object.fromEntries(shown) });
}

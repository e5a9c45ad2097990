// Set-ups as a thread is given them, from WebAssembly text.

import { inspectModule } from "../../host/wasm/inspect.ts";
import { prepareModule } from "../../host/wasm/prepare.ts";
import type { InstanceUse, ModuleSetup } from "../../host/worker/protocol.ts";
import { assemble } from "./guests.ts";

export function setupOf(
  guest: string | Uint8Array,
  instances: InstanceUse = "reset",
  maximumPages = 4,
): ModuleSetup {
  const bytes = new Uint8Array(typeof guest === "string" ? assemble(guest) : guest);
  const inspection = inspectModule(bytes, { metered: true });
  const module = new WebAssembly.Module(prepareModule(bytes, inspection, { meter: true }));
  const [memory] = inspection.memories;
  return {
    versionId: 1,
    cpuMs: 1_000,
    code: { module, abi: "assemblyscript" },
    moduleBytes: bytes.byteLength,
    memory: memory ? { initialPages: memory.initialPages, maximumPages } : null,
    instances,
    singleInstances: "reset",
    env: [],
    secrets: [],
    args: [],
    files: null,
  };
}

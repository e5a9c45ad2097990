// What a thread is given to run a guest, made from its bytes as the host does.

import { inspectModule } from "../../host/wasm/inspect.ts";
import { prepareModule } from "../../host/wasm/prepare.ts";
import type { ModuleSetup } from "../../host/worker/protocol.ts";

/** Of a guest with one page of memory, and room for another; `cpuMs` is its CPU limit. */
export function setupOf(upload: Uint8Array, versionId = 1, cpuMs = 600_000): ModuleSetup {
  const bytes = new Uint8Array(upload);
  const inspection = inspectModule(bytes, { metered: true });
  return {
    versionId,
    cpuMs,
    module: new WebAssembly.Module(prepareModule(bytes, inspection, { meter: true })),
    moduleBytes: bytes.byteLength,
    abi: "assemblyscript",
    memory: { initialPages: 1, maximumPages: 2 },
    instances: "new",
    env: [],
  };
}

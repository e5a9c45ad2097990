// What the pool gives a thread to run a guest.

import type { ModuleSetup } from "../../host/worker/protocol.ts";
import { setupOf as setupOfGuest } from "../support/setups.ts";

/** Of a guest with one page of memory, and room for another; `cpuMs` is its CPU limit. */
export function setupOf(upload: Uint8Array, versionId = 1, cpuMs = 600_000): ModuleSetup {
  return { ...setupOfGuest(upload, "new", 2), versionId, cpuMs };
}

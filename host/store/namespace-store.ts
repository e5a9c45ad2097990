// The contract of namespaces. They are read once, when a host starts: whoever holds them in memory makes every
// change. Reads are synchronous and answer from committed state; changes resolve once they are durable. The quotas
// of what is kept are held by the changes themselves (`sqlite/namespace-room.ts`).

import type { Namespace, NamespaceUse } from "../quotas.ts";

export interface NamespaceStore {
  all(): Namespace[];
  use(name: string): NamespaceUse;

  /** Adds one, or gives it other quotas. */
  put(namespace: Namespace): Promise<void>;
  /** Removes one with its tokens and what is left of its calls and events; how many deliveries went. Rejects with `namespace_in_use`. */
  remove(name: string): Promise<number>;
}

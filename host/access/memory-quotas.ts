// The memories of live calls by namespace, where that has a quota of them: each call counts with the limit of its
// function, so that whatever they grow to the quota holds. Asked by the invoker for each call on a thread; a call
// that is over before anything else happens holds nothing.

import { HostError } from "../errors.ts";
import type { Deployment } from "../function.ts";
import { namespaceOf } from "../namespace.ts";
import type { Namespaces } from "./namespaces.ts";

export class MemoryQuotas {
  readonly #namespaces: Pick<Namespaces, "quotas">;
  /** MiB by namespace. */
  readonly #held = new Map<string, number>();

  constructor(namespaces: Pick<Namespaces, "quotas">) {
    this.#namespaces = namespaces;
  }

  /** What is held until it is disposed of; null where there is no quota. Throws `quota_exceeded`, as 429. */
  hold({ name, config }: Pick<Deployment, "name" | "config">): Disposable | null {
    const namespace = namespaceOf(name);
    const { memoryMb: quotaMb } = this.#namespaces.quotas(namespace);
    if (quotaMb === null) return null;
    const { memoryMb } = config;
    const heldMb = this.#held.get(namespace) ?? 0;
    if (heldMb + memoryMb > quotaMb) {
      throw new HostError(
        "quota_exceeded",
        `The live calls of the namespace "${namespace}" may hold ${heldMb} MiB, and ${memoryMb} more are over its quota "memoryMb", which is ${quotaMb}`,
        { status: 429, retryAfterS: 1 },
      );
    }
    this.#held.set(namespace, heldMb + memoryMb);
    return { [Symbol.dispose]: () => this.#release(namespace, memoryMb) };
  }

  #release(namespace: string, memoryMb: number): void {
    const restMb = (this.#held.get(namespace) ?? 0) - memoryMb;
    if (restMb === 0) this.#held.delete(namespace);
    else this.#held.set(namespace, restMb);
  }
}

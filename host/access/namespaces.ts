// The namespaces of a host, in memory as they are stored: whether there is one, and what it may have. The one
// that is called `default` is always there, and may be given quotas.

import { HostError } from "../errors.ts";
import { limits } from "../limits.ts";
import { defaultNamespace } from "../namespace.ts";
import { type Namespace, type NamespaceUse, noQuotas, type Quotas } from "../quotas.ts";
import type { NamespaceStore } from "../store/namespace-store.ts";

const always: Namespace = { name: defaultNamespace, quotas: noQuotas, createdAtMs: 0 };

export class Namespaces {
  readonly #store: NamespaceStore;
  readonly #onDropped: (deliveries: number) => void;
  readonly #byName: Map<string, Namespace>;
  #limitsCalls = false;

  /** `onDropped`: so many deliveries of events have gone with a namespace. */
  constructor(store: NamespaceStore, onDropped: (deliveries: number) => void) {
    this.#store = store;
    this.#onDropped = onDropped;
    this.#byName = new Map([always, ...store.all()].map((namespace) => [namespace.name, namespace]));
    this.#look();
  }

  /** Whether any of them limits what is called. */
  get limitsCalls(): boolean {
    return this.#limitsCalls;
  }

  list(): Namespace[] {
    return [...this.#byName.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  /** Throws `namespace_not_found`. */
  get(name: string): Namespace {
    const found = this.#byName.get(name);
    if (found !== undefined) return found;
    throw new HostError("namespace_not_found", `No namespace "${name}"`);
  }

  quotas(name: string): Quotas {
    return this.#byName.get(name)?.quotas ?? noQuotas;
  }

  use(name: string): NamespaceUse {
    return this.#store.use(name);
  }

  /** Whether it is a new one; rejects with `quota_exceeded`. */
  async put(name: string, quotas: Quotas): Promise<boolean> {
    const known = this.#byName.get(name);
    if (known === undefined && this.#byName.size >= limits.namespacesMax) {
      throw new HostError(
        "quota_exceeded",
        `The host has ${this.#byName.size} namespaces, limit is ${limits.namespacesMax} (namespacesMax)`,
      );
    }
    const namespace = { name, quotas, createdAtMs: known?.createdAtMs ?? Date.now() };
    await this.#store.put(namespace);
    this.#byName.set(name, namespace);
    this.#look();
    return known === undefined;
  }

  /** Rejects with `namespace_not_found` or `namespace_in_use`. */
  async remove(name: string): Promise<void> {
    this.get(name);
    if (name === defaultNamespace) {
      throw new HostError("namespace_in_use", `The namespace "${defaultNamespace}" is always there`);
    }
    // Nothing is put into it while it goes.
    this.#byName.delete(name);
    try {
      this.#onDropped(await this.#store.remove(name));
    } catch (error) {
      const [kept] = this.#store.all().filter((namespace) => namespace.name === name);
      if (kept !== undefined) this.#byName.set(name, kept);
      throw error;
    }
    this.#look();
  }

  #look(): void {
    this.#limitsCalls = [...this.#byName.values()].some(({ quotas }) => quotas.callsPerSecond !== null);
  }
}

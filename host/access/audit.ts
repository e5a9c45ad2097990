// The audit log between routes and its store: an entry is there before its change is made, and is ended by what
// became of it. What is refused changes nothing, and leaves none.

import type { AuditBegin, AuditEntry } from "../audit-entry.ts";
import { difference } from "../audit-entry.ts";
import type { AuditStore } from "../store/audit-store.ts";

export type AuditPage = { readonly entries: readonly AuditEntry[]; readonly cursor: number | null };

export class Audit {
  readonly #store: AuditStore;
  /** Ends that are being written. */
  readonly #ending = new Set<Promise<void>>();
  #closed = false;

  constructor(store: AuditStore) {
    this.#store = store;
  }

  /** Newest first; of one namespace unless that is null. */
  list(namespace: string | null, before: number | null, limit: number): AuditPage {
    const found = this.#store.list(namespace, before, limit + 1);
    const entries = found.slice(0, limit);
    return { entries, cursor: found.length > limit ? (entries.at(-1)?.id ?? null) : null };
  }

  /** Resolves when it is durable; what is to be called with the end of it. */
  async begin(
    entry: AuditBegin,
  ): Promise<(end: { status: number; before: unknown; after: unknown }) => Promise<void>> {
    const id = await this.#store.begin(entry);
    return async ({ status, before, after }) => {
      // The host ends: a request that was cut off for that leaves its entry without an end.
      if (this.#closed) return;
      const isRefused = status >= 400 && status <= 499;
      const ending = isRefused
        ? this.#store.forget(id)
        : this.#store.end({ id, status, ...difference(before, after) });
      this.#ending.add(ending);
      try {
        await ending;
      } finally {
        this.#ending.delete(ending);
      }
    };
  }

  /** Writes no further ends; resolves when those that were begun are written. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#ending);
  }
}

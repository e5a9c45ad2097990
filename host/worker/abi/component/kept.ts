// What the host keeps in its own memory for one resource of a component: names and values of fields, a body that
// is not sent, an answer that is not read. Counted as it grows, and no more once the resource has let go of it,
// so that a guest which hoards hits its bound and not the host's (docs/threat-model.md C17).

import type { GuestFault } from "../../guest-memory.ts";

/** Counts bytes that are kept from now on, or less when negative; what speaks against it, or null. */
export type Keep = (bytes: number) => GuestFault | null;

export class Kept {
  readonly #keep: Keep;
  #bytes = 0;

  constructor(keep: Keep) {
    this.#keep = keep;
  }

  /** Counts so many more; throws a GuestFault when there is no room. */
  add(bytes: number): void {
    const fault = this.#keep(bytes);
    if (fault !== null) throw fault;
    this.#bytes += bytes;
  }

  /** As `add`; false when there is no room. */
  fits(bytes: number): boolean {
    if (this.#keep(bytes) !== null) return false;
    this.#bytes += bytes;
    return true;
  }

  /** Counts so many in all. */
  set(bytes: number): void {
    this.add(bytes - this.#bytes);
  }

  release(): void {
    this.#keep(-this.#bytes);
    this.#bytes = 0;
  }
}

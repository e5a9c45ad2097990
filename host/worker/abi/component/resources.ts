// Handles of one call to resources of the host's. A handle names a place and how often that has been used:
// one that was dropped, or made up, or belongs to another call, names nothing (docs/threat-model.md C13).

import { limits } from "../../../limits.ts";
import { GuestFault } from "../../guest-memory.ts";
import type { ComponentGuest } from "./guest.ts";
import { u32, type ValueType } from "./value-types.ts";

/** Bits of a handle that are the place; limits.resourcesPerCallMax is below. */
const placeBits = 14;
const placeMask = 2 ** placeBits - 1;
const usesMax = 2 ** 16;

/** What a handle leads to. */
export type Resource = object & {
  /** Whether it is of no use once its call has ended; false unless it says so. */
  readonly ofCall?: boolean;
  /** Lets go of what is kept for it: its handle is gone. */
  dropped?(): void;
};

/** In the place of what went with its call. */
class Gone {}
const gone = new Gone();

export class Resources {
  /** Place 0 is nobody's: 0 is what a guest has when it has nothing. */
  readonly #values: (Resource | null)[] = [null];
  readonly #uses: number[] = [0];
  readonly #free: number[] = [];
  #count = 0;

  /** Handles that lead somewhere. */
  get count(): number {
    return this.#count;
  }

  /** What was of its call is gone; its handles can be dropped, and nothing else. */
  callEnded(): void {
    for (const [place, value] of this.#values.entries()) {
      if (!value?.ofCall) continue;
      value.dropped?.();
      this.#values[place] = gone;
    }
  }

  add(value: Resource): number {
    if (this.#count >= limits.resourcesPerCallMax) {
      throw new GuestFault("guest_trapped", `more than ${limits.resourcesPerCallMax} resources at one time`);
    }
    this.#count += 1;
    const place = this.#free.pop() ?? this.#values.push(null) - 1;
    this.#values[place] = value;
    return ((this.#uses[place] ?? 0) << placeBits) | place;
  }

  get(handle: number): object {
    return this.#values[this.#place(handle)] as object;
  }

  /** Who takes a resource lets go of what is kept for it. */
  take(handle: number): Resource {
    const place = this.#place(handle);
    const value = this.#values[place] as Resource;
    this.#values[place] = null;
    this.#uses[place] = ((this.#uses[place] ?? 0) + 1) % usesMax;
    this.#free.push(place);
    this.#count -= 1;
    return value;
  }

  #place(handle: number): number {
    const place = handle & placeMask;
    const found = this.#values[place] ?? null;
    if (found === null || handle >>> placeBits !== (this.#uses[place] ?? 0)) {
      throw new GuestFault(
        "bad_guest_output",
        `there is no resource ${handle}: it was dropped, or never was`,
      );
    }
    return place;
  }
}

type Kind<resource> = abstract new (...args: never[]) => resource;

function checked<resource>(guest: ComponentGuest, kind: Kind<resource>, value: object): resource {
  if (value instanceof kind) return value;
  if (value === gone) throw guest.fault("a handle is to a resource of a call that has ended");
  throw guest.fault("a handle is to a resource of another kind");
}

const handleType = <resource extends object>(
  from: (guest: ComponentGuest, handle: number) => resource,
  to: (guest: ComponentGuest, value: resource) => number,
): ValueType<resource> => ({
  bytes: 4,
  align: 4,
  flat: ["i32"],
  lift: (guest, flat) => from(guest, flat.u32()),
  load: (guest, at) => from(guest, u32.load(guest, at)),
  lower: (guest, value, flat) => void flat.push(to(guest, value)),
  store: (guest, at, value) => u32.store(guest, at, to(guest, value), null),
});

/** A handle that changes hands: the guest has it no more, or from now on. */
export function own<resource extends object>(kind: Kind<resource>): ValueType<resource> {
  return handleType(
    (guest, handle) => {
      const value = checked(guest, kind, guest.call.resources.get(handle));
      guest.call.resources.take(handle);
      return value;
    },
    (guest, value) => guest.call.resources.add(value),
  );
}

/** A handle that is lent for one call: only guests lend. */
export function borrow<resource extends object>(kind: Kind<resource>): ValueType<resource> {
  return handleType(
    (guest, handle) => checked(guest, kind, guest.call.resources.get(handle)),
    () => {
      throw new Error("The host lends no resource");
    },
  );
}

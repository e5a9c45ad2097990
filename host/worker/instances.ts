// Where a thread's instances come from: one that was set back to its image, when the version's deploy
// has measured that to be the cheaper way, else a new one on a memory from the pool. An idle instance
// holds nothing of any call: it is set back when its call ends, not when the next one begins. Only where
// a function's configuration asks for `reuse` does one run call after call as the last one left it.

import { limits } from "../limits.ts";
import { ComponentInstance } from "./component-instance.ts";
import type { Guest, InstanceCall } from "./guest-instance.ts";
import { InstanceImage, imageMemoryBytesMax } from "./image.ts";
import { GuestInstance } from "./instance.ts";
import { MemoryPool } from "./memory-pool.ts";
import type { CachedModule, Instantiable } from "./module-cache.ts";

/** Idle instances kept per version: most calls have ended before the next one begins. */
const keptPerVersion = 2;
/** Of one version, in a row: then its instances are taken to be such that run one call. */
const secondCallsFailedMax = 3;

export type InstanceBounds = {
  /** Versions of which a thread keeps idle instances. */
  readonly versions: number;
  /** Bytes of their memories and images. */
  readonly bytes: number;
};

const boundsDefault: InstanceBounds = { versions: 32, bytes: imageMemoryBytesMax };

type Kept = {
  /** Null where instances are used as they are, or turned out not to be such that they can be set back. */
  readonly image: InstanceImage | null;
  readonly idle: Guest[];
  /** Instances in a row that failed in the call after their first one. */
  secondCallsFailed: number;
  bytes: number;
  /** Counts uses of all: the lowest is the least recent. */
  usedAt: number;
};

export class Instances {
  readonly #memories = new MemoryPool();
  readonly #kept = new Map<CachedModule, Kept>();
  readonly #bounds: InstanceBounds;
  /** Versions to be used again, by their configuration, whose instances do not outlive a call. */
  readonly #single = new WeakSet<CachedModule>();
  #uses = 0;
  #bytes = 0;

  constructor(bounds: InstanceBounds = boundsDefault) {
    this.#bounds = bounds;
  }

  /** An instance for `call`, its start function not yet run unless it is one that was set back. */
  take(module: CachedModule, call: InstanceCall): { instance: Guest; started: boolean } {
    const kept = this.#kept.get(module);
    if (kept !== undefined) {
      kept.usedAt = ++this.#uses;
      const idle = kept.idle.pop();
      if (idle !== undefined) {
        this.#account(kept, -idle.memoryBytes);
        idle.bind(call);
        return { instance: idle, started: true };
      }
    }
    const memory = module.memory === null ? null : this.#memories.take(module.memory);
    return { instance: newInstance(module.code, memory, call), started: false };
  }

  /** Keeps the image of an instance whose start function has run. */
  started(module: CachedModule, instance: Guest, { state }: InstanceCall): void {
    const use = this.#useOf(module);
    if (use === "new" || this.#kept.has(module)) return;
    // What a host call said or did belongs to one call: each must make it anew, unless told otherwise.
    const takes = use === "snapshot" || (use === "reset" && state.hostCalls === 0);
    const image = takes && !instance.holdsOfHost ? InstanceImage.take(instance) : null;
    const kept: Kept = { image, idle: [], secondCallsFailed: 0, bytes: 0, usedAt: ++this.#uses };
    this.#kept.set(module, kept);
    this.#account(kept, image?.byteLength ?? 0);
    this.#trim();
  }

  /**
   * Takes an instance back, which never runs again for its call. After anything but an answer (a trap, a
   * stop, a fault) only its memory is used again, zeroed.
   */
  give(module: CachedModule, instance: Guest, answered: boolean): void {
    const kept = this.#kept.get(module);
    if (kept !== undefined && this.#useOf(module) === "reuse" && instance.calls === 2) {
      kept.secondCallsFailed = answered ? 0 : kept.secondCallsFailed + 1;
      if (kept.secondCallsFailed === secondCallsFailedMax) {
        this.#single.add(module);
        this.#forget(module, kept);
      }
    }
    if (
      answered &&
      kept !== undefined &&
      instance.memoryBytes <= this.#bounds.bytes &&
      kept.idle.length < keptPerVersion &&
      this.#isReady(module, kept, instance)
    ) {
      kept.idle.push(instance);
      this.#account(kept, instance.memoryBytes);
      this.#trim();
      return;
    }
    this.#giveMemory(module, instance);
  }

  #giveMemory(module: CachedModule, { memory }: Guest): void {
    if (module.memory !== null && memory !== null) this.#memories.give(module.memory, memory);
  }

  #account(kept: Kept, bytes: number): void {
    kept.bytes += bytes;
    this.#bytes += bytes;
  }

  /** Lets go of the versions not used for longest, until the rest is within the bounds. */
  #trim(): void {
    while (this.#kept.size > this.#bounds.versions || this.#bytes > this.#bounds.bytes) {
      this.#forget(...leastRecent(this.#kept));
    }
  }

  #forget(module: CachedModule, kept: Kept): void {
    this.#kept.delete(module);
    this.#account(kept, -kept.bytes);
    for (const instance of kept.idle) this.#giveMemory(module, instance);
  }

  #useOf(module: CachedModule): CachedModule["instances"] {
    return this.#single.has(module) ? module.singleInstances : module.instances;
  }

  /** Makes an instance ready for the next call; false when it cannot be, and is to be thrown away. */
  #isReady(module: CachedModule, { image }: Kept, instance: Guest): boolean {
    if (this.#useOf(module) === "reuse") {
      return instance.goesOn() && instance.calls < limits.instanceUsesMax;
    }
    // Also false when the memory has grown, which the pool does not take either.
    return image?.restore(instance) === true;
  }
}

/** An instance that has run nothing but active segments. */
export function newInstance(
  code: Instantiable,
  memory: WebAssembly.Memory | null,
  call: InstanceCall,
): Guest {
  return "plan" in code ? new ComponentInstance(code, memory, call) : new GuestInstance(code, memory, call);
}

function leastRecent(kept: ReadonlyMap<CachedModule, Kept>): [CachedModule, Kept] {
  let oldest: [CachedModule, Kept] | null = null;
  for (const entry of kept) if (oldest === null || entry[1].usedAt < oldest[1].usedAt) oldest = entry;
  if (oldest === null) throw new Error("Nothing is kept, and it is too much");
  return oldest;
}

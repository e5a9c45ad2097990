// Whether a metered guest may go on. The guest itself asks, about every 100,000 instructions, which
// are 3 to 30 us; "no" makes it trap, which no guest can catch (docs/threat-model.md H20). The thread's
// own CPU clock decides here; the wall clock, and whoever else wants the call stopped, say so in its
// claim cell.

import { claim } from "./protocol.ts";

/** Reading the clock costs 0.3 us, a tenth of what passes between two checks of a tight loop. */
const checksPerReading = 16;

export class CallStop {
  /** Why the call was told to stop: its CPU time, or a word from outside. */
  reason: "cpu" | "asked" | null = null;
  readonly #claims: Int32Array;
  readonly #slot: number;
  readonly #cpuMs: number;
  #cpuStartUs = -1;
  #checks = 0;

  constructor(claims: Int32Array, slot: number, cpuMs: number) {
    this.#claims = claims;
    this.#slot = slot;
    this.#cpuMs = cpuMs;
  }

  /** What the guest imports: 0 to go on, 1 to stop. */
  readonly check = (): 0 | 1 => {
    if (this.reason === null) {
      if (Atomics.load(this.#claims, this.#slot) === claim.stopping) this.reason = "asked";
      else if (this.#cpuIsSpent()) this.reason = "cpu";
    }
    return this.reason === null ? 0 : 1;
  };

  /** The clock starts with the first check: few calls get to one, and before it little has run. */
  #cpuIsSpent(): boolean {
    this.#checks += 1;
    if (this.#checks % checksPerReading !== 1) return false;
    const { user, system } = process.threadCpuUsage();
    const cpuUs = user + system;
    if (this.#cpuStartUs === -1) this.#cpuStartUs = cpuUs;
    return cpuUs - this.#cpuStartUs >= this.#cpuMs * 1_000;
  }
}

// What a fresh instance of a module costs in each of the two ways: made anew on a memory from the pool,
// or set back to its image. Measured by the inspector, in its process, at each deploy; a version runs by
// the cheaper one from then on.

import type { FreshCosts } from "../function.ts";
import { monotonicMs } from "../invocation.ts";
import { type Verdict, verdict } from "../prepared-names.ts";
import { CallState } from "../worker/call-state.ts";
import type { Guest } from "../worker/guest-instance.ts";
import { GuestLog } from "../worker/guest-log.ts";
import { InstanceImage } from "../worker/image.ts";
import { newInstance } from "../worker/instances.ts";
import { MemoryPool } from "../worker/memory-pool.ts";
import type { Instantiable } from "../worker/module-cache.ts";
import type { MemoryBounds } from "../worker/protocol.ts";

/** Rounds at most, and the time after which no further one begins, ms: a deploy waits for them. */
const roundsMax = 40;
const budgetMs = 15;
/** Instances made before any is measured: the first ones find nothing warm. */
const warmUpRounds = 5;
/** Rounds that a busy machine gets although their time is over: one that was interrupted tells nothing. */
const roundsMin = 14;
const lateBudgetMs = 250;

/**
 * Instantiates a module and runs its start function, for the first time and as often as there is time
 * for. Throws what the guest's trap throws, or the fault that a host call of its start function met.
 */
export async function tryFresh(
  code: Instantiable,
  bounds: MemoryBounds | null,
  resettable: boolean,
  { env, setting }: Pick<CallState, "env" | "setting">,
): Promise<FreshCosts> {
  const memories = new MemoryPool();
  const newMs: number[] = [];
  const resetMs: number[] = [];
  const startMs = monotonicMs();
  const mayGoOn = (round: number): boolean =>
    round === 0 || monotonicMs() - startMs < (round < roundsMin ? lateBudgetMs : budgetMs);
  for (let round = 0; round < roundsMax && mayGoOn(round); round += 1) {
    const state = new CallState(new Uint8Array(0), env, new GuestLog(() => {}), setting);
    const beganMs = monotonicMs();
    const memory = bounds && memories.take(bounds);
    const instance = await started(code, memory, state);
    const madeMs = monotonicMs();
    // A host call of the start function, as a line in the log, is made for each call anew.
    const image = resettable && state.hostCalls === 0 ? InstanceImage.take(instance) : null;
    // The first time touches memory that nobody has touched before; an instance that is used again has been.
    if (image?.restore(instance) === true) {
      const imageMs = monotonicMs();
      if (image.restore(instance)) resetMs.push(monotonicMs() - imageMs);
    }
    const endedMs = monotonicMs();
    // Zeroing for the next call is part of the price.
    if (bounds !== null && memory !== null) memories.give(bounds, memory);
    newMs.push(madeMs - beganMs + (monotonicMs() - endedMs));
  }
  return { newUs: medianUs(newMs), resetUs: resetMs.length > 0 ? medianUs(resetMs) : null };
}

const goOn = (): Verdict => verdict.goOn;

async function started(
  code: Instantiable,
  memory: WebAssembly.Memory | null,
  state: CallState,
): Promise<Guest> {
  try {
    // Nobody stops it here: the inspector's parent ends the process.
    const instance = newInstance(code, memory, {
      state,
      check: goOn,
      pause: goOn,
      turn: goOn,
      grow: () => true,
    });
    await instance.start();
    if (state.fault !== null) throw state.fault;
    return instance;
  } catch (error) {
    throw state.fault ?? error;
  }
}

/** The median but of the first rounds, as far as there are later ones, to a tenth of a microsecond. */
function medianUs(ms: readonly number[]): number {
  const settled = ms.slice(Math.min(warmUpRounds, ms.length - 1)).sort((one, other) => one - other);
  return Math.round((settled[settled.length >> 1] as number) * 10_000) / 10;
}

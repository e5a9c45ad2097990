// The model of scale: what share of each bound of a host a load takes, which bound is met first, and how
// many hosts it needs. Pure functions of measured costs and of the limits of limits.ts.

import { shortMs } from "../../host/invoke/inline-policy.ts";
import type { Costs } from "./costs.ts";
import { missShare } from "./miss-share.ts";

export type HostSize = {
  readonly cores: number;
  readonly memoryMb: number;
  /** The limits of these names. */
  readonly liveCallsMax: number;
  readonly modulesCachedMax: number;
};

export type HostLoad = {
  readonly functions: number;
  readonly callsPerS: number;
  /** CPU of the guest a call, beyond that of hello. */
  readonly guestMs: number;
  /** Time in host calls a call: other services, other functions. */
  readonly waitMs: number;
};

export const bounds = ["main thread", "cores", "live calls", "memory"] as const;
export type Bound = (typeof bounds)[number];

/** The share of each bound that a load takes of one host; above one it does not fit. */
export function sharesOf(load: HostLoad, costs: Costs, host: HostSize): Record<Bound, number> {
  const { callsPerS, functions, guestMs, waitMs } = load;
  const loads = missShare(functions, host.modulesCachedMax);
  // Such a call runs on the main thread (decision 0016).
  const isShort = guestMs <= shortMs && waitMs === 0;
  const callMs = isShort ? costs.shortUsPerCall / 1_000 + guestMs : costs.mainUsPerCall / 1_000;
  const handedMs = isShort ? 0 : costs.threadsUsPerCall / 1_000 + guestMs;
  const mainMs = callMs + loads * costs.loadMainMs;
  const allMs = mainMs + handedMs + loads * (costs.loadMs - costs.loadMainMs);
  const live = (callsPerS * (allMs + waitMs)) / 1_000;
  const kept = Math.min(functions, host.modulesCachedMax);
  const memoryMb =
    costs.baseMb +
    host.cores * costs.threadMb +
    (live * costs.liveCallKb + functions * costs.idleFunctionKb + kept * costs.keptModuleKb) / 1_024;
  return {
    "main thread": (callsPerS * mainMs) / 1_000,
    cores: (callsPerS * allMs) / 1_000 / host.cores,
    "live calls": live / host.liveCallsMax,
    memory: memoryMb / host.memoryMb,
  };
}

/** The bound that is met first as the load grows. */
export function firstBound(shares: Readonly<Record<Bound, number>>): Bound {
  return bounds.reduce((first, bound) => (shares[bound] > shares[first] ? bound : first));
}

/**
 * How many hosts a load needs when none may take more than `shareMax` of any bound: calls and functions are
 * split evenly, each function on one host. Null when more than a million would not do.
 */
export function hostsNeeded(load: HostLoad, costs: Costs, host: HostSize, shareMax: number): number | null {
  const fits = (count: number): boolean => {
    const part = { ...load, callsPerS: load.callsPerS / count, functions: load.functions / count };
    return Object.values(sharesOf(part, costs, host)).every((share) => share <= shareMax);
  };
  let most = 1;
  while (!fits(most)) {
    most *= 2;
    if (most > 1_000_000) return null;
  }
  let least = most / 2;
  while (most - least > 1) {
    const middle = Math.floor((least + most) / 2);
    if (fits(middle)) most = middle;
    else least = middle;
  }
  return most;
}

// wasi:clocks 0.2. Time is coarse, whole milliseconds, as for every guest (docs/threat-model.md D4).

import { limits } from "../../../limits.ts";
import { record } from "./compound-types.ts";
import { func, type Interface } from "./host-function.ts";
import { own } from "./resources.ts";
import { Pollable } from "./streams.ts";
import { bool, s32, string, u32, u64 } from "./value-types.ts";

const nanosecondsPerMs = 1_000_000n;

const nowMs = (): number => Math.floor(performance.now());
const nowNs = (): bigint => BigInt(nowMs()) * nanosecondsPerMs;

export const datetime = record({ seconds: u64, nanoseconds: u32 });

/** Milliseconds since 1970 as a datetime. */
export function datetimeOf(ms: number): { seconds: bigint; nanoseconds: number } {
  return { seconds: BigInt(Math.floor(ms / 1_000)), nanoseconds: (Math.floor(ms) % 1_000) * 1_000_000 };
}

/** Ready at an instant of the monotonic clock. */
function timer(instantNs: bigint): Pollable {
  const leftMs = (): number => {
    const ns = instantNs - nowNs();
    const ms = ns <= 0n ? 0 : Math.ceil(Number(ns) / 1e6);
    return Math.min(ms, limits.sleepMsMax);
  };
  return new Pollable(
    () => instantNs <= nowNs(),
    () => {
      let handle: NodeJS.Timeout | undefined;
      const done = new Promise<void>((resolve) => {
        // A timer may come early by a part of a millisecond, and then the instant is not there yet.
        const wait = (): void => {
          handle = setTimeout(() => (instantNs <= nowNs() ? resolve() : wait()), Math.max(1, leftMs()));
        };
        wait();
      });
      return { done, cancel: () => clearTimeout(handle) };
    },
  );
}

export const monotonicClock: Interface = {
  resources: [],
  functions: {
    now: func([], u64, nowNs),
    resolution: func([], u64, () => nanosecondsPerMs),
    "subscribe-instant": func([u64], own(Pollable), (_guest, instant) => timer(instant)),
    "subscribe-duration": func([u64], own(Pollable), (_guest, duration) => timer(nowNs() + duration)),
  },
};

export const wallClock: Interface = {
  resources: [],
  functions: {
    now: func([], datetime, () => datetimeOf(Date.now())),
    resolution: func([], datetime, () => datetimeOf(1)),
  },
};

const display = record({ "utc-offset": s32, name: string, "in-daylight-saving-time": bool });

/** It is the same time everywhere: where a host stands is no guest's concern. */
export const timezone: Interface = {
  resources: [],
  functions: {
    display: func([datetime], display, () => ({
      "utc-offset": 0,
      name: "UTC",
      "in-daylight-saving-time": false,
    })),
    "utc-offset": func([datetime], s32, () => 0),
  },
};

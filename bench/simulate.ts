// Scale on paper: keep-warm policies replayed against traces of three shapes, and what of a host a load
// saturates first at 10, 100 and 1,000 times a small one. Pure but for the printing; the same SEED prints the
// same tables. How far from the truth this is, `npm run bench -- trace` says.

import { limits } from "../host/limits.ts";
import { seeded } from "../test/support/seeded-random.ts";
import { azureShape } from "./simulator/azure-shape.ts";
import { firstBound, type HostLoad, type HostSize, hostsNeeded, sharesOf } from "./simulator/capacity.ts";
import { readCosts } from "./simulator/costs.ts";
import { hybridHistogram } from "./simulator/hybrid-histogram.ts";
import { replayLeastRecent } from "./simulator/least-recent.ts";
import { missShare } from "./simulator/miss-share.ts";
import { fixedWindow, keepNothing } from "./simulator/policies.ts";
import { type Replayed, replay } from "./simulator/replay.ts";
import { report } from "./simulator/scaling-document.ts";
import { bursty, poisson, type Random, type Trace } from "./simulator/trace.ts";
import { percentile } from "./statistics.ts";

const seed = Number(process.env["SEED"] ?? 1);
const functions = Number(process.env["FUNCTIONS"] ?? 4_000);
const hours = Number(process.env["HOURS"] ?? 48);
const spanS = hours * 3_600;
const kept = limits.modulesCachedMax;
const costs = readCosts();

const next = seeded(seed);
const random: Random = () => next() / 2 ** 32;
const once = `${functions} functions, ${hours} h, seed ${seed}`;
replayAll("poisson", `Poisson, one call in 30 minutes each, ${once}`, even(poisson));
replayAll("bursty", `Bursts, one call in 30 minutes each on average, ${once}`, even(bursty));
// One a minute: who is called more often is warm under any policy, but that which keeps nothing.
const azure = azureShape(functions, spanS, 1 / 60, random);
replayAll("azure", `The shape of Azure Functions 2019, ${once}, at most one call a minute each`, azure);
scale();

/** Functions that differ in nothing: a second a call and 170 MB, the published medians. */
function even(arrivalsOf: (perSecond: number, spanS: number, random: Random) => number[]): Trace {
  return {
    spanS,
    functions: Array.from({ length: functions }, () => ({
      arrivals: arrivalsOf(1 / 1_800, spanS, random),
      durationS: 1,
      memoryMb: 170,
    })),
  };
}

function replayAll(block: string, title: string, trace: Trace): void {
  const row = (server: string, { calls, cold, idleS, idleMbS, coldShares }: Replayed) => ({
    server,
    "cold calls": `${((100 * cold) / calls).toFixed(2)} %`,
    "cold, function at p50": `${(100 * percentile(coldShares, 50)).toFixed(1)} %`,
    "at p75": `${(100 * percentile(coldShares, 75)).toFixed(1)} %`,
    "idle at one time": (idleS / spanS).toFixed(0),
    "wasted, GB·h": (idleMbS / 1_024 / 3_600).toFixed(0),
    "as Mayfly's modules, GB·h": ((idleS * costs.keptModuleKb) / 2 ** 20 / 3_600).toFixed(1),
  });
  const policies = [keepNothing, fixedWindow(10), fixedWindow(20), fixedWindow(60), hybridHistogram];
  report(
    block,
    title,
    [
      ...policies.map((policy) => row(policy.name, replay(trace, policy))),
      row(`Mayfly's: the last ${kept} called`, replayLeastRecent(trace, kept)),
    ],
    "policy",
  );
}

/** A small load, and multiples of it. */
function scale(): void {
  scaleOf("scale", { functions: 1_000, callsPerS: 100, guestMs: 1, waitMs: 50 });
  scaleOf("scale-short", { functions: 1_000, callsPerS: 100, guestMs: 0, waitMs: 0 });
}

function scaleOf(block: string, small: HostLoad): void {
  const sizes = [
    ["2 cores, 8 GB", 2, 8],
    ["32 cores, 128 GB", 32, 128],
  ] as const;
  const rows = [1, 10, 100, 1_000].flatMap((factor) =>
    sizes.map(([name, cores, memoryGb]) => {
      const host: HostSize = {
        cores,
        memoryMb: memoryGb * 1_024,
        liveCallsMax: limits.liveCallsMax,
        modulesCachedMax: limits.modulesCachedMax,
      };
      const load: HostLoad = {
        ...small,
        functions: small.functions * factor,
        callsPerS: small.callsPerS * factor,
      };
      const shares = sharesOf(load, costs, host);
      return {
        server: `${factor}x on ${name}`,
        functions: load.functions.toLocaleString("en-US"),
        "calls/s": load.callsPerS.toLocaleString("en-US"),
        "calls that load": percentText(missShare(load.functions, host.modulesCachedMax)),
        ...Object.fromEntries(Object.entries(shares).map(([bound, share]) => [bound, percentText(share)])),
        "saturates first": firstBound(shares),
        "hosts, each at most 70 % full": hostsNeeded(load, costs, host, 0.7) ?? "–",
      };
    }),
  );
  report(
    block,
    `One host's share of each bound; 1x is ${small.functions} functions, ${small.callsPerS} calls/s, ${small.guestMs} ms of guest CPU and ${small.waitMs} ms of waiting a call${small.guestMs + small.waitMs === 0 ? ", as `hello`" : ""}`,
    rows,
    "load",
  );
}

function percentText(share: number): string {
  return `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
}

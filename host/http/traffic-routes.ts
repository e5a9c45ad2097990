// /v1/traffic: what functions do for some seconds from now on, for `mayfly top`. The request is the watch: it
// is answered when the time is over, and the host remembers nothing in between.

import { setTimeout as pause } from "node:timers/promises";
import { Hono } from "hono";
import { z } from "zod";
import { HostError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { CallSeries } from "../observe/call-series.ts";
import type { Traffic } from "../observe/traffic.ts";
import { quantileMs, type TrafficLine, TrafficWatch } from "../observe/traffic-watch.ts";
import type { ControlEnv } from "./app.ts";
import { readQuery } from "./query.ts";

export type TrafficRouteParts = {
  readonly traffic: Traffic;
  /** What the host holds just now. */
  readonly hostNow: () => HostNow;
};

export type HostNow = {
  /** Calls admitted and not answered, and those of them that wait for a thread. */
  readonly liveCalls: number;
  readonly waitingCalls: number;
  readonly threads: number;
  readonly guestBytes: number;
};

const querySchema = z.strictObject({
  seconds: z.coerce.number().min(0.1).max(60).default(1),
  limit: z.coerce.number().int().min(1).max(1_000).default(50),
});

const pageBytes = 65_536;

export function trafficRoutes({ traffic, hostNow }: TrafficRouteParts): Hono<ControlEnv> {
  const routes = new Hono<ControlEnv>();
  let watchers = 0;
  routes.get("/", async (context) => {
    const { seconds, limit } = readQuery(context, querySchema);
    if (watchers >= limits.trafficWatchersMax) {
      throw new HostError("overloaded", `The host is watched by ${watchers} already`, { retryAfterS: 1 });
    }
    watchers += 1;
    const began = new Date();
    const beganMs = performance.now();
    const watch = new TrafficWatch(traffic);
    try {
      // Rejects when the client goes away, whom nobody answers then.
      await pause(seconds * 1_000, undefined, { ref: false, signal: context.req.raw.signal });
    } catch (error) {
      if (!context.req.raw.signal.aborted) throw error;
      return context.body(null, 400);
    } finally {
      watchers -= 1;
    }
    const elapsedMs = performance.now() - beganMs;
    const { total, functions } = watch.since(limit);
    return context.json({
      from: began.toISOString(),
      seconds: elapsedMs / 1_000,
      host: hostNow(),
      total: shownSeries(total.series, elapsedMs),
      functions: functions.map((line) => shownLine(line, elapsedMs)),
    });
  });
  return routes;
}

function shownLine({ function: name, series }: TrafficLine, elapsedMs: number) {
  return { function: name, ...shownSeries(series, elapsedMs) };
}

function shownSeries(series: CallSeries, elapsedMs: number) {
  return {
    calls: series.calls,
    callsPerSecond: (series.calls * 1_000) / elapsedMs,
    errors: { caller: series.caller, guest: series.guest, host: series.host, clientGone: series.clientGone },
    p50Ms: quantileMs(series, 0.5),
    p99Ms: quantileMs(series, 0.99),
    cpuMs: series.cpuMs,
    waitMs: series.waitMs,
    /** Of guests' memories, on average over the time. */
    memoryBytes: Math.round((series.pageMs * pageBytes) / elapsedMs),
    bytesIn: series.bytesIn,
    bytesOut: series.bytesOut,
    hostCalls: series.hostCalls,
  };
}

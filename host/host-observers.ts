// What looks on while the host works: every call that ends is metered, counted for the metrics, kept for a while
// and, when it is sampled, traced. Called by `main.ts` at start.

import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import type { HostConfig } from "./config.ts";
import type { EndedCall } from "./ended-call.ts";
import type { HostState } from "./host-state.ts";
import { limits } from "./limits.ts";
import { Metrics, type Reading } from "./observe/metrics.ts";
import { RecentCalls } from "./observe/recent-calls.ts";
import { TraceExporter } from "./observe/trace-exporter.ts";
import { Traffic } from "./observe/traffic.ts";
import { UsageMeter } from "./observe/usage-meter.ts";
import { packageVersion } from "./package-version.ts";
import { UsageReports } from "./services/usage-reports.ts";
import { Traces } from "./trace-context.ts";

/** A collector that hangs keeps the host from ending no longer, ms. */
const tracesWaitMs = 2_000;

export type HostObservers = {
  readonly onEnd: (call: EndedCall) => void;
  readonly traces: Traces;
  readonly metrics: Metrics;
  readonly traffic: Traffic;
  readonly recentCalls: RecentCalls;
  readonly usageReports: UsageReports;
  /** A function is gone; what it used is kept. */
  readonly functionRemoved: (name: string) => void;
  /** Stores what has been counted. No call may end after that. */
  close(): Promise<void>;
};

export async function openObservers(
  { rates, traceEndpoint, traceSample, traceHeaders }: HostConfig,
  { usage, functions }: HostState,
  log: Logger,
  onFault: (error: unknown) => void,
): Promise<HostObservers> {
  const run = randomUUID();
  const gap = await usage.beginRun(run, Date.now());
  if (gap !== null) {
    const bounds = { from: new Date(gap.fromMs), to: new Date(gap.toMs) };
    log.warn(bounds, "the last run did not end well: usage of up to its last second may be missing");
  }
  const traffic = new Traffic();
  const meter = new UsageMeter({
    add: (batch) => usage.add(batch),
    run,
    trafficOf: (name) => traffic.of(name),
    onFault,
  });
  const recentCalls = new RecentCalls();
  const exporter =
    traceEndpoint === null
      ? null
      : new TraceExporter({
          endpoint: new URL(traceEndpoint),
          headers: traceHeaders,
          resource: { instance: run, version: packageVersion(), originMs: performance.timeOrigin },
          onFailure: (reason) => log.warn(`traces cannot be sent to ${traceEndpoint}: ${reason}`),
        });
  const metrics = new Metrics(traffic);
  metrics.add([
    ...(exporter === null ? [] : exporterReadings(exporter)),
    {
      name: "mayfly_recent_calls_skipped_total",
      help: "Calls that are not among those kept one by one",
      kind: "counter",
      read: () => recentCalls.skipped,
    },
  ]);
  return {
    traces: new Traces(exporter === null ? null : traceSample),
    metrics,
    traffic,
    recentCalls,
    usageReports: new UsageReports({
      store: usage,
      flush: () => meter.flush(),
      rates,
      functions: () => {
        return functions.count() > limits.usageAnswerRowsMax ? [] : functions.list().map(({ name }) => name);
      },
    }),
    onEnd: (call) => {
      const { deployment, trace } = call;
      metrics.call(call.outcome);
      traffic.count(deployment && meter.count(deployment, call), call);
      recentCalls.keep(call);
      if (exporter !== null && trace?.isSampled === true) exporter.ended(call);
    },
    functionRemoved: (name) => traffic.remove(name),
    close: async () => {
      const sent = exporter?.close(tracesWaitMs);
      // What cannot be stored leaves a gap, as that of a run that was killed does.
      await meter
        .close()
        .then(() => usage.endRun(run))
        .catch(onFault);
      await sent;
    },
  };
}

function exporterReadings(exporter: TraceExporter): Reading[] {
  return [
    {
      name: "mayfly_traces_exported_total",
      help: "Sampled calls whose spans the collector has taken",
      kind: "counter",
      read: () => exporter.exported,
    },
    {
      name: "mayfly_traces_dropped_total",
      help: `Sampled calls whose spans are lost: more than ${limits.tracesQueuedMax} waited, or the collector failed`,
      kind: "counter",
      label: "reason",
      read: () => ({ queue_full: exporter.droppedFull, failed: exporter.droppedFailed }),
    },
    {
      name: "mayfly_traces_queued",
      help: "Sampled calls whose spans wait for the collector",
      kind: "gauge",
      read: () => exporter.queued,
    },
  ];
}

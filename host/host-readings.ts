// The gauges and counters that GET /metrics reads from the parts of the host. Called by `main.ts` at start.

import { statSync } from "node:fs";
import type { EventQueue } from "./events/queue.ts";
import type { HostState } from "./host-state.ts";
import type { HostNow } from "./http/traffic-routes.ts";
import type { InlineCalls } from "./invoke/inline-calls.ts";
import type { Modules } from "./invoke/modules.ts";
import { limits } from "./limits.ts";
import type { Reading } from "./observe/metrics.ts";

export type HostReadingParts = {
  readonly hostNow: () => HostNow;
  readonly modules: Pick<Modules, "count">;
  readonly inline: Pick<InlineCalls, "count"> | null;
  readonly memoryBytesMax: number;
  readonly queue: Pick<EventQueue, "count" | "published" | "ended">;
  readonly state: Pick<HostState, "written" | "databaseFile">;
};

export function hostReadings(parts: HostReadingParts): Reading[] {
  const { hostNow, modules, inline, memoryBytesMax, queue, state } = parts;
  const gauge = (name: string, help: string, read: Reading["read"], label = ""): Reading => {
    return { name, help, kind: "gauge", label, read };
  };
  const counter = (name: string, help: string, read: Reading["read"], label = ""): Reading => {
    return { name, help, kind: "counter", label, read };
  };
  return [
    gauge("mayfly_live_calls", "Calls admitted and not answered", () => hostNow().liveCalls),
    gauge("mayfly_live_calls_max", "Calls that are admitted at most", () => limits.liveCallsMax),
    gauge("mayfly_waiting_calls", "Calls that wait for a thread", () => hostNow().waitingCalls),
    gauge("mayfly_threads", "Worker threads alive", () => hostNow().threads),
    gauge(
      "mayfly_guest_memory_bytes",
      "Bytes that the memories of live calls hold",
      () => hostNow().guestBytes,
    ),
    gauge("mayfly_guest_memory_bytes_max", "Bytes that they may hold", () => memoryBytesMax),
    gauge("mayfly_resident_memory_bytes", "Resident memory of the host process", () =>
      process.memoryUsage.rss(),
    ),
    gauge("mayfly_modules_cached", "Compiled modules kept", () => modules.count),
    counter(
      "mayfly_inline_calls_total",
      "Calls that were short enough to run on the main thread",
      () => inline?.count ?? 0,
    ),
    gauge("mayfly_queued_events", "Deliveries that wait, run or are dead letters", () => queue.count),
    gauge(
      "mayfly_queued_events_max",
      "Deliveries with which publishing is refused",
      () => limits.queueEventsMax,
    ),
    counter("mayfly_deliveries_total", "Deliveries that were stored", () => queue.published),
    counter(
      "mayfly_delivery_attempts_total",
      "Attempts at them by how they ended: done, retry or dead",
      () => ({ ...queue.ended }),
      "outcome",
    ),
    gauge(
      "mayfly_store_writes_pending",
      "Changes that wait for the writer thread",
      () => state.written().pending,
    ),
    counter(
      "mayfly_store_writes_total",
      "Changes by how they ended: stored, refused with a code, or failed",
      () => {
        const { stored, refused, failed } = state.written();
        return { stored, refused, failed };
      },
      "outcome",
    ),
    counter(
      "mayfly_store_write_seconds_total",
      "Time that changes waited until they were durable",
      () => state.written().waitedMs / 1_000,
    ),
    gauge("mayfly_store_bytes", "Size of the database, its write-ahead log included", () =>
      ["", "-wal"].reduce((sum, suffix) => sum + sizeOf(`${state.databaseFile}${suffix}`), 0),
    ),
  ];
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

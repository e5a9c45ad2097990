// What GET /metrics shows, in Prometheus text: counts and times of calls by outcome, and gauges read
// from the parts when asked. Labels come from closed sets, so the page stays small.

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { CallOutcome, ErrorCode } from "../errors.ts";

export type Gauges = {
  readonly liveCalls: () => number;
  readonly waitingCalls: () => number;
  readonly threads: () => number;
  readonly guestBytes: () => number;
  readonly modules: () => number;
  /** Of all calls so far. */
  readonly inlineCalls: () => number;
};

/** Telling the histogram so many takes some 20 us. */
const untoldMax = 256;

export class Metrics {
  readonly #registry = new Registry();
  /** Calls by outcome so far. */
  readonly #calls = new Map<CallOutcome, { count: number }>();
  /** Times that the histogram has not been told yet, in seconds, and how many they are. */
  readonly #untold = new Float64Array(untoldMax);
  #untoldCount = 0;
  readonly #seconds: Histogram;
  readonly #threadsLost: Counter;
  readonly #deploys: Counter<"outcome">;

  constructor(gauges: Gauges) {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    const calls = this.#calls;
    new Counter({
      name: "mayfly_calls_total",
      help: "Calls by outcome: ok, client_gone or the error code",
      labelNames: ["outcome"],
      registers,
      collect() {
        this.reset();
        for (const [outcome, { count }] of calls) this.inc({ outcome }, count);
      },
    });
    this.#seconds = new Histogram({
      name: "mayfly_call_seconds",
      help: "Time from request to answer",
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1, 5, 30],
      registers,
      collect: () => this.#tell(),
    });
    this.#threadsLost = new Counter({
      name: "mayfly_threads_lost_total",
      help: "Worker threads that ended under a call, other than by a limit",
      registers,
    });
    this.#deploys = new Counter({
      name: "mayfly_deploys_total",
      help: "Uploads by outcome: created, unchanged or the error code",
      labelNames: ["outcome"],
      registers,
    });
    new Counter({
      name: "mayfly_inline_calls_total",
      help: "Calls that were short enough to run on the main thread",
      registers,
      collect() {
        this.reset();
        this.inc(gauges.inlineCalls());
      },
    });
    const gauge = (name: string, help: string, read: () => number): void => {
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read());
        },
      });
    };
    gauge("mayfly_live_calls", "Calls admitted and not answered", gauges.liveCalls);
    gauge("mayfly_waiting_calls", "Calls that wait for a thread", gauges.waitingCalls);
    gauge("mayfly_threads", "Worker threads alive", gauges.threads);
    gauge("mayfly_guest_memory_bytes", "Bytes that the memories of live calls hold", gauges.guestBytes);
    gauge("mayfly_resident_memory_bytes", "Resident memory of the host process", () =>
      process.memoryUsage.rss(),
    );
    gauge("mayfly_modules_cached", "Compiled modules kept", gauges.modules);
  }

  call(outcome: CallOutcome, ms: number): void {
    const calls = this.#calls.get(outcome);
    if (calls === undefined) this.#calls.set(outcome, { count: 1 });
    else calls.count += 1;
    this.#untold[this.#untoldCount] = ms / 1000;
    this.#untoldCount += 1;
    if (this.#untoldCount === untoldMax) this.#tell();
  }

  /** Many in a row: one alone costs several times as much, with the caches full of something else. */
  #tell(): void {
    for (let index = 0; index < this.#untoldCount; index += 1) {
      this.#seconds.observe(this.#untold[index] as number);
    }
    this.#untoldCount = 0;
  }

  threadLost(): void {
    this.#threadsLost.inc();
  }

  deploy(outcome: "created" | "unchanged" | ErrorCode): void {
    this.#deploys.inc({ outcome });
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}

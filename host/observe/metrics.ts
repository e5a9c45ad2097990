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

export class Metrics {
  readonly #registry = new Registry();
  readonly #calls: Counter<"outcome">;
  readonly #byOutcome = new Map<CallOutcome, Counter.Internal>();
  readonly #seconds: Histogram.Internal<string>;
  readonly #threadsLost: Counter;
  readonly #deploys: Counter<"outcome">;

  constructor(gauges: Gauges) {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    this.#calls = new Counter({
      name: "mayfly_calls_total",
      help: "Calls by outcome: ok, client_gone or the error code",
      labelNames: ["outcome"],
      registers,
    });
    this.#seconds = new Histogram({
      name: "mayfly_call_seconds",
      help: "Time from request to answer",
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1, 5, 30],
      registers,
    }).labels();
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
    this.#callsOf(outcome).inc();
    this.#seconds.observe(ms / 1000);
  }

  /** Looking the label up costs more than counting. */
  #callsOf(outcome: CallOutcome): Counter.Internal {
    let counter = this.#byOutcome.get(outcome);
    if (counter === undefined) {
      counter = this.#calls.labels(outcome);
      this.#byOutcome.set(outcome, counter);
    }
    return counter;
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

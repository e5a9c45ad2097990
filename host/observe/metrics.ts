// What GET /metrics shows, in Prometheus text: calls of the host and of its busiest functions, and gauges and
// counters that are read from the parts when asked. Labels come from closed sets, so the page stays small.

import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { CallOutcome, ErrorCode } from "../errors.ts";
import type { CallSeries } from "./call-series.ts";
import { SeriesHistogram } from "./series-histogram.ts";
import type { Traffic } from "./traffic.ts";

/** A number that is read when somebody asks, or several with the value of one label each. */
export type Reading = {
  readonly name: string;
  readonly help: string;
  /** What only goes up is a counter. */
  readonly kind: "gauge" | "counter";
  /** By whose values what is read is told apart; none for one number. */
  readonly label?: string;
  readonly read: () => number | Readonly<Record<string, number>>;
};

const pageBytes = 65_536;

export class Metrics {
  readonly #registry = new Registry();
  #ok = 0;
  /** Other calls by outcome so far. */
  readonly #failed = new Map<CallOutcome, number>();
  readonly #threadsLost: Counter;
  readonly #deploys: Counter<"outcome">;

  constructor(traffic: Traffic) {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
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
    new SeriesHistogram({
      name: "mayfly_call_seconds",
      help: "Time from request to answer",
      registers,
      lines: () => [[null, traffic.total]],
    });
    this.#addReading({
      name: "mayfly_calls_total",
      help: "Calls by outcome: ok, client_gone or the error code",
      kind: "counter",
      label: "outcome",
      read: () => ({ ok: this.#ok, ...Object.fromEntries(this.#failed) }),
    });
    this.#addFunctions(traffic);
  }

  /** A call has ended. */
  call(outcome: CallOutcome): void {
    if (outcome === "ok") this.#ok += 1;
    else this.#failed.set(outcome, (this.#failed.get(outcome) ?? 0) + 1);
  }

  threadLost(): void {
    this.#threadsLost.inc();
  }

  deploy(outcome: "created" | "unchanged" | ErrorCode): void {
    this.#deploys.inc({ outcome });
  }

  add(readings: readonly Reading[]): void {
    for (const reading of readings) this.#addReading(reading);
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #addReading({ name, help, kind, label = "", read }: Reading): void {
    const options = { name, help, registers: [this.#registry] };
    const labelNames = label === "" ? [] : [label];
    const shown = (set: (labels: Record<string, string>, value: number) => void): void => {
      const found = read();
      if (typeof found === "number") return set({}, found);
      for (const [value, number] of Object.entries(found)) set({ [label]: value }, number);
    };
    if (kind === "gauge") {
      new Gauge({
        ...options,
        labelNames,
        collect() {
          this.reset();
          shown((labels, number) => this.set(labels, number));
        },
      });
      return;
    }
    new Counter({
      ...options,
      labelNames,
      collect() {
        this.reset();
        shown((labels, number) => this.inc(labels, number));
      },
    });
  }

  /** Those of functions, each of which has a line, or shares that of the others. */
  #addFunctions(traffic: Traffic): void {
    const registers = [this.#registry];
    // Who has one is decided once for a page, by what is written first.
    let lines: Map<string, CallSeries> = new Map();
    new SeriesHistogram({
      name: "mayfly_function_call_seconds",
      help: "Time from request to answer, by function: the busiest ones, the rest as _other",
      registers,
      lines: () => {
        lines = traffic.lines();
        return lines;
      },
    });
    new Counter({
      name: "mayfly_function_calls_total",
      help: "Calls by function and by how they went: ok, client_gone, or whose fault it was",
      labelNames: ["function", "result"],
      registers,
      collect() {
        this.reset();
        for (const [name, { ok, clientGone, caller, guest, host }] of lines) {
          const results = { ok, client_gone: clientGone, caller, guest, host };
          for (const [result, calls] of Object.entries(results)) this.inc({ function: name, result }, calls);
        }
      },
    });
    const sum = (name: string, help: string, of: (series: CallSeries) => number): void => {
      new Counter({
        name,
        help,
        labelNames: ["function"],
        registers,
        collect() {
          this.reset();
          for (const [functionName, series] of lines) this.inc({ function: functionName }, of(series));
        },
      });
    };
    sum("mayfly_function_cpu_seconds_total", "CPU time by function", ({ cpuMs }) => cpuMs / 1_000);
    sum("mayfly_function_wait_seconds_total", "Time that guests waited", ({ waitMs }) => waitMs / 1_000);
    sum("mayfly_function_memory_byte_seconds_total", "Memory that guests held, over time", ({ pageMs }) => {
      return (pageMs * pageBytes) / 1_000;
    });
    sum("mayfly_function_received_bytes_total", "Bodies of requests", ({ bytesIn }) => bytesIn);
    sum("mayfly_function_sent_bytes_total", "Bodies of answers", ({ bytesOut }) => bytesOut);
    sum("mayfly_function_host_calls_total", "Host calls of guests", ({ hostCalls }) => hostCalls);
  }
}

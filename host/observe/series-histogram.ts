// A histogram of prom-client whose numbers are kept elsewhere, by `CallSeries`: telling one of theirs of each
// call would take longer than all else that is counted of it.

import { Histogram, type Registry } from "prom-client";
import { boundsMs, type CallSeries } from "./call-series.ts";

/** Those of the series that are shown, ms: of many functions not all are. */
const shownOfFunctionsMs = new Set([
  0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000,
]);

export type SeriesHistogramOptions = {
  readonly name: string;
  readonly help: string;
  readonly registers: Registry[];
  /** By the name of the function; null where there is one line alone. */
  readonly lines: () => Iterable<readonly [functionName: string | null, CallSeries]>;
};

type Value = {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
};

export class SeriesHistogram extends Histogram<"function"> {
  readonly #options: SeriesHistogramOptions;

  constructor(options: SeriesHistogramOptions) {
    const { name, help, registers } = options;
    super({ name, help, registers, labelNames: ["function"] });
    this.#options = options;
  }

  /** What the registry asks a histogram for. */
  async getForPromString(): Promise<object> {
    const { name, help, lines } = this.#options;
    const values: Value[] = [];
    for (const [functionName, series] of lines()) {
      const labels = functionName === null ? {} : { function: functionName };
      let count = 0;
      for (const [index, calls] of series.buckets.entries()) {
        count += calls;
        const boundMs = boundsMs[index];
        if (boundMs === undefined || (functionName !== null && !shownOfFunctionsMs.has(boundMs))) continue;
        values.push({
          metricName: `${name}_bucket`,
          labels: { ...labels, le: boundMs / 1_000 },
          value: count,
        });
      }
      values.push({ metricName: `${name}_bucket`, labels: { ...labels, le: "+Inf" }, value: count });
      values.push({ metricName: `${name}_sum`, labels, value: series.wallMs / 1_000 });
      values.push({ metricName: `${name}_count`, labels, value: count });
    }
    return { name, help, type: "histogram", aggregator: "sum", values };
  }
}

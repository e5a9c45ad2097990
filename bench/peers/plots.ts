// The three plots of the document: throughput, warm latency, first calls.

import { dotPlot, type PlotRow } from "./dot-plot.ts";
import { mayflyName, type Report, type Samples } from "./report.ts";
import { spreadOf } from "./spread.ts";

export type Plot = {
  readonly file: string;
  readonly title: string;
  readonly svg: string;
};

export function plots(report: Report): Plot[] {
  return [
    plot(
      report,
      "throughput.svg",
      `Calls per second at ${report.settings.connections} connections`,
      "calls/s",
      {
        valuesOf: ({ callsPerSecond }) => callsPerSecond,
        best: "most",
      },
    ),
    plot(report, "warm-latency.svg", "Warm calls at one connection, p50", "ms", {
      valuesOf: ({ warmP50Ms }) => warmP50Ms,
      best: "least",
    }),
    plot(report, "cold-start.svg", "First call of a function, p50", "ms", {
      valuesOf: ({ coldP50Ms }) => coldP50Ms,
      best: "least",
    }),
  ];
}

/** The best is on top. */
function plot(
  { measured }: Report,
  file: string,
  title: string,
  unit: string,
  { valuesOf, best }: { valuesOf: (samples: Samples) => readonly number[]; best: "most" | "least" },
): Plot {
  const rows = measured
    .filter(({ samples }) => valuesOf(samples).some((value) => value > 0))
    .map(
      ({ peer, samples }): PlotRow => ({
        label: peer.name,
        // A round in which nothing was answered has no place on a logarithmic axis.
        value: spreadOf(valuesOf(samples).filter((value) => value > 0)),
        highlighted: peer.name.startsWith(mayflyName),
      }),
    )
    .sort((one, other) => (one.value.median - other.value.median) * (best === "least" ? 1 : -1));
  return { file, title, svg: dotPlot(title, unit, rows) };
}

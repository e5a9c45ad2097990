// The plot of distributions: for each group of calls, which part of them was answered within which time.

import type { ReportSection } from "../report.ts";
import { colourOf, frame, legend, line, linearScale, logScale, logTicks, margin, plotWidth } from "./plot.ts";

const height = 320;
const parts = [0, 25, 50, 75, 90, 100];
/** Less is drawn as this: the time axis is logarithmic. */
const msMin = 1e-3;

/** Empty where there are no calls. */
export function distributionPlot(sections: readonly ReportSection[]): string {
  const shown = sections.filter(({ percentilesMs }) => percentilesMs.length > 0);
  if (shown.length === 0) return "";
  const all = shown.flatMap(({ percentilesMs }) => percentilesMs).map((ms) => Math.max(ms, msMin));
  const ticks = logTicks(
    all.reduce((min, ms) => Math.min(min, ms), Number.POSITIVE_INFINITY),
    all.reduce((max, ms) => Math.max(max, ms), msMin),
  );
  const right = plotWidth - margin.right;
  const x = logScale(ticks[0] ?? msMin, ticks.at(-1) ?? 1, margin.left, right);
  const y = linearScale(0, 100, height - margin.bottom, margin.top);
  const lines = shown.map(({ title, percentilesMs }, index) => {
    const points = percentilesMs.map((ms, step): [number, number] => [
      x(Math.max(ms, msMin)),
      y((step * 100) / (percentilesMs.length - 1)),
    ]);
    return line(points, colourOf(index), title);
  });
  const plot = frame(
    height,
    { scale: x, ticks, label: "end to end, ms (logarithmic)" },
    { scale: y, ticks: parts, label: "% of the calls" },
    "Distribution of end to end times",
    lines.join(""),
  );
  return plot + legend(shown.map(({ title }, index) => [title, colourOf(index)]));
}

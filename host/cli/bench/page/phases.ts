// The plot of phases: for each group of calls one bar, stacked of where the time of a middling call went.

import { formatMs } from "../format.ts";
import { phaseLabels } from "../labels.ts";
import type { ReportSection } from "../report.ts";
import { element, escaped } from "./markup.ts";
import { colourOf, drawing, legend, linearScale, linearTicks, margin, plotWidth, tickText } from "./plot.ts";

const rowHeight = 58;
const barHeight = 26;
/** Room beside the longest bar for its sum. */
const sumWidth = 70;
const phases = Object.values(phaseLabels);

/** Empty where there are no calls. */
export function phasesPlot(sections: readonly ReportSection[]): string {
  const shown = sections.filter(({ stack }) => stack.length > 0);
  if (shown.length === 0) return "";
  const sums = shown.map(({ stack }) => stack.reduce((sum, { ms }) => sum + ms, 0));
  const ticks = linearTicks(Math.max(...sums));
  const x = linearScale(0, ticks.at(-1) ?? 1, 8, plotWidth - margin.right - sumWidth);
  const bottom = shown.length * rowHeight + 6;
  const grid = ticks.map((tick) => {
    const at = x(tick).toFixed(1);
    return (
      element("line", { class: "grid", x1: at, x2: at, y1: 4, y2: bottom }) +
      element("text", { x: at, y: bottom + 16, "text-anchor": "middle" }, tickText(tick))
    );
  });
  const label = element("text", { x: plotWidth / 2, y: bottom + 36, "text-anchor": "middle" }, "ms");
  const bars = shown.map((section, row) => bar(section, row * rowHeight, sums[row] ?? 0, x));
  const used = phases.filter((phase) => shown.some(({ stack }) => stack.some(({ name }) => name === phase)));
  return (
    drawing(bottom + 44, "Phases of a middling call", grid.join("") + label + bars.join("")) +
    legend(used.map((phase) => [phase, colourOf(phases.indexOf(phase))]))
  );
}

function bar({ title, stack }: ReportSection, top: number, sum: number, x: (ms: number) => number): string {
  let fromMs = 0;
  const pieces = stack.map(({ name, ms }) => {
    const left = x(fromMs);
    fromMs += ms;
    const attributes = {
      class: `piece ${colourOf(phases.indexOf(name))}`,
      ...{ x: left.toFixed(1), y: top + 24, height: barHeight, width: (x(fromMs) - left).toFixed(1) },
    };
    return element("rect", attributes, element("title", {}, escaped(`${name}: ${formatMs(ms)} ms`)));
  });
  const name = element("text", { x: 8, y: top + 16, class: "name" }, escaped(title));
  const total = element("text", { x: (x(sum) + 8).toFixed(1), y: top + 42 }, `${formatMs(sum)} ms`);
  return name + pieces.join("") + total;
}

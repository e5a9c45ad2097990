// A plot of named values on a logarithmic axis, as SVG text: for each row a line from least to most and a
// dot at the median, with the figure beside it. Self-contained, legible on light and on dark pages.

import { type Spread, short } from "./spread.ts";

export type PlotRow = { readonly label: string; readonly value: Spread; readonly highlighted: boolean };

const size = { width: 860, labels: 280, figures: 90, row: 26, top: 56, bottom: 44 };
const ink = { text: "#1f2328", quiet: "#59636e", grid: "#d1d9e0", row: "#57606a", highlight: "#0969da" };

/** Rows in the order given. Values have to be above zero. */
export function dotPlot(title: string, unit: string, rows: readonly PlotRow[]): string {
  const height = size.top + rows.length * size.row + size.bottom;
  const axisY = size.top + rows.length * size.row;
  const [from, to] = decades(rows);
  const left = size.labels + 10;
  const right = size.width - size.figures;
  const xOf = (value: number): number => left + ((Math.log10(value) - from) / (to - from)) * (right - left);
  const ticks = Array.from({ length: to - from + 1 }, (_, step) => 10 ** (from + step));
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${height}" width="${size.width}" height="${height}" role="img" aria-label="${escaped(title)}" font-family="system-ui, sans-serif" font-size="13">`,
    `<rect width="${size.width}" height="${height}" fill="#ffffff"/>`,
    text(16, 26, title, ink.text, 'font-size="16" font-weight="600"'),
    ...ticks.flatMap((tick) => [
      line(xOf(tick), size.top - 8, xOf(tick), axisY, ink.grid, 1),
      text(xOf(tick), axisY + 18, tickText(tick), ink.quiet, 'text-anchor="middle"'),
    ]),
    text((left + right) / 2, axisY + 36, `${unit}, logarithmic`, ink.quiet, 'text-anchor="middle"'),
    ...rows.flatMap((row, index) => plotRow(row, size.top + (index + 0.5) * size.row, xOf)),
    "</svg>",
  ];
  return `${parts.join("\n")}\n`;
}

function plotRow(
  { label, value, highlighted }: PlotRow,
  y: number,
  xOf: (value: number) => number,
): string[] {
  const colour = highlighted ? ink.highlight : ink.row;
  const weight = highlighted ? 'font-weight="600" ' : "";
  return [
    text(size.labels, y + 4, label, ink.text, `${weight}text-anchor="end"`),
    line(xOf(value.least), y, xOf(value.most), y, colour, 3),
    `<circle cx="${xOf(value.median).toFixed(1)}" cy="${y.toFixed(1)}" r="5.5" fill="${colour}"/>`,
    text(size.width - 12, y + 4, short(value.median), ink.text, `${weight}text-anchor="end"`),
  ];
}

/** The powers of ten around all values, at least one apart. */
function decades(rows: readonly PlotRow[]): [number, number] {
  const from = Math.floor(Math.log10(Math.min(...rows.map(({ value }) => value.least))));
  const to = Math.ceil(Math.log10(Math.max(...rows.map(({ value }) => value.most))));
  return [from, Math.max(to, from + 1)];
}

const tickText = (tick: number): string => (tick < 1 ? String(tick) : tick.toLocaleString("en-US"));

function line(x1: number, y1: number, x2: number, y2: number, colour: string, width: number): string {
  const [fromX, fromY, toX, toY] = [x1, y1, x2, y2].map((value) => value.toFixed(1));
  return `<line x1="${fromX}" y1="${fromY}" x2="${toX}" y2="${toY}" stroke="${colour}" stroke-width="${width}"/>`;
}

function text(x: number, y: number, content: string, colour: string, attributes: string): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" fill="${colour}" ${attributes}>${escaped(content)}</text>`;
}

function escaped(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

// What the plots of a page share: the frame with its axes, scales, and the legend. Colours are classes,
// so that the page's style decides them for light and dark.

import { element, escaped } from "./markup.ts";

/** Units of the drawing; the page scales it to its width. */
export const plotWidth = 760;
export const margin = { left: 64, right: 24, top: 12, bottom: 44 } as const;
/** Classes `c0` to `c7` have a colour each. */
export const colours = 8;

export type Scale = (value: number) => number;
export type Axis = { readonly scale: Scale; readonly ticks: readonly number[]; readonly label: string };

export function colourOf(index: number): string {
  return `c${index % colours}`;
}

/** From a range of values to one of the drawing. */
export function linearScale(from: number, to: number, start: number, end: number): Scale {
  const span = to - from || 1;
  return (value) => start + ((value - from) / span) * (end - start);
}

export function logScale(from: number, to: number, start: number, end: number): Scale {
  const scale = linearScale(Math.log10(from), Math.log10(to), start, end);
  return (value) => scale(Math.log10(value));
}

/** About `count` round numbers from 0 on that enclose `max`. */
export function linearTicks(max: number, count = 5): number[] {
  const rough = Math.max(max, 1e-9) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough) ?? rough;
  return Array.from({ length: Math.ceil(max / step) + 1 }, (_, index) => index * step);
}

/** 1, 2 and 5 of each power of ten that enclose the values; the powers alone where those are many. */
export function logTicks(min: number, max: number): number[] {
  const first = Math.floor(Math.log10(min));
  const last = Math.ceil(Math.log10(max));
  const factors = last - first > 3 ? [1] : [1, 2, 5];
  const all = Array.from({ length: last - first + 1 }, (_, index) => first + index).flatMap((power) =>
    factors.map((factor) => factor * 10 ** power),
  );
  const below = all.filter((tick) => tick <= min).at(-1) ?? min;
  const above = all.find((tick) => tick >= max) ?? max;
  return all.filter((tick) => tick >= below && tick <= above);
}

/** A tick without the digits that floating point adds. */
export function tickText(tick: number): string {
  return String(Number(tick.toPrecision(6)));
}

/** The drawing with grid lines and labels of both axes, and `content` within. */
export function frame(height: number, x: Axis, y: Axis, title: string, content: string): string {
  const bottom = height - margin.bottom;
  const right = plotWidth - margin.right;
  const vertical = x.ticks.map((tick) => {
    const at = x.scale(tick).toFixed(1);
    return (
      element("line", { class: "grid", x1: at, x2: at, y1: margin.top, y2: bottom }) +
      element("text", { x: at, y: bottom + 16, "text-anchor": "middle" }, tickText(tick))
    );
  });
  const horizontal = y.ticks.map((tick) => {
    const at = y.scale(tick);
    return (
      element("line", { class: "grid", x1: margin.left, x2: right, y1: at.toFixed(1), y2: at.toFixed(1) }) +
      element("text", { x: margin.left - 8, y: (at + 4).toFixed(1), "text-anchor": "end" }, tickText(tick))
    );
  });
  const middle = (margin.top + bottom) / 2;
  const labels =
    element(
      "text",
      { x: (margin.left + right) / 2, y: height - 8, "text-anchor": "middle" },
      escaped(x.label),
    ) +
    element(
      "text",
      { x: 14, y: middle, "text-anchor": "middle", transform: `rotate(-90 14 ${middle})` },
      escaped(y.label),
    );
  return drawing(height, title, vertical.join("") + horizontal.join("") + labels + content);
}

export function drawing(height: number, title: string, content: string): string {
  const attributes = { viewBox: `0 0 ${plotWidth} ${height}`, role: "img", "aria-label": title };
  return element("svg", attributes, content);
}

export function line(
  points: readonly (readonly [x: number, y: number])[],
  colour: string,
  title: string,
): string {
  const path = points.map(([x, y], index) => `${index === 0 ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`);
  return element("path", { class: `line ${colour}`, d: path.join("") }, element("title", {}, escaped(title)));
}

/** Each name with its colour. */
export function legend(entries: readonly (readonly [name: string, colour: string])[]): string {
  const items = entries.map(([name, colour]) =>
    element("li", {}, element("span", { class: `swatch ${colour}` }) + escaped(name)),
  );
  return element("ul", { class: "legend" }, items.join(""));
}

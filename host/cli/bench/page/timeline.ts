// The plots of a burst over time: the host's threads, and the calls that wait.

import type { TimelinePoint } from "../recorder.ts";
import {
  colourOf,
  frame,
  legend,
  line,
  linearScale,
  linearTicks,
  margin,
  plotWidth,
  type Scale,
} from "./plot.ts";

const height = 220;

type Curve = {
  readonly name: string;
  readonly read: (point: TimelinePoint) => number;
  readonly colour: number;
};

const threads: readonly Curve[] = [{ name: "worker threads", read: (point) => point.threads, colour: 3 }];
const calls: readonly Curve[] = [
  { name: "sent and not answered", read: (point) => point.unanswered, colour: 0 },
  { name: "admitted", read: (point) => point.live, colour: 1 },
  { name: "waiting for a thread", read: (point) => point.waiting, colour: 2 },
];

/** Empty where there are no readings. */
export function timelinePlots(timeline: readonly TimelinePoint[]): string {
  const last = timeline.at(-1);
  if (last === undefined) return "";
  const ticks = linearTicks(last.atMs / 1000, 8);
  const x = linearScale(0, ticks.at(-1) ?? 1, margin.left, plotWidth - margin.right);
  const xAxis = { scale: (seconds: number) => x(seconds), ticks, label: "s" };
  return curves(timeline, xAxis, threads, "threads") + curves(timeline, xAxis, calls, "calls");
}

function curves(
  timeline: readonly TimelinePoint[],
  x: { readonly scale: Scale; readonly ticks: readonly number[]; readonly label: string },
  shown: readonly Curve[],
  label: string,
): string {
  const highest = timeline.reduce((max, point) => Math.max(max, ...shown.map(({ read }) => read(point))), 1);
  // A line along the upper edge would not be seen.
  const ticks = linearTicks(highest * 1.1, Math.min(4, highest));
  const y = linearScale(0, ticks.at(-1) ?? 1, height - margin.bottom, margin.top);
  const lines = shown.map(({ name, read, colour }) =>
    line(
      steps(timeline, (point) => [x.scale(point.atMs / 1000), y(read(point))]),
      colourOf(colour),
      name,
    ),
  );
  const plot = frame(height, x, { scale: y, ticks, label }, `${label} over time`, lines.join(""));
  return plot + legend(shown.map(({ name, colour }) => [name, colourOf(colour)]));
}

/** A reading holds until the next one. */
function steps(
  timeline: readonly TimelinePoint[],
  place: (point: TimelinePoint) => [x: number, y: number],
): [x: number, y: number][] {
  return timeline.map(place).flatMap((point, index, places): [number, number][] => {
    const before = places[index - 1];
    return before === undefined ? [point] : [[point[0], before[1]], point];
  });
}

// Whether the machine held still while it was measured. Two questions of each distribution: did the
// earlier half of the samples agree with the later one, and is the median known well enough? Pure.

import { formatMs } from "./format.ts";
import { endToEndLabel } from "./labels.ts";
import type { Estimate, Summary } from "./quantiles.ts";
import type { ReportSection } from "./report.ts";

/** A median that is known no better than this is not told apart from that of another run. */
const halfWidthMax = 0.1;
/** So many calls, or bursts, have a median with an interval on a machine that holds still. */
const samplesMin = 6;
/** Halves that differ by less are alike, however surely they differ. */
const differenceMin = 0.05;

export function machineWarnings(sections: readonly ReportSection[]): string[] {
  return sections.flatMap(({ title, rows }) => {
    const summary = rows.find(({ name }) => name === endToEndLabel)?.summary;
    return summary == null ? [] : warningsOf(title, summary);
  });
}

/** The same for rates of rounds, which have no unit here. */
export function seriesWarnings(title: string, summary: Summary | null): string[] {
  if (summary?.halves == null || !disagree(summary.halves[0], summary.halves[1])) return [];
  const [earlier, later] = summary.halves;
  return [
    `The machine is too noisy for the ${title}: the median of the earlier half of the rounds is ` +
      `${formatMs(earlier.value)}, of the later half ${formatMs(later.value)}; end what else runs on it and measure again`,
  ];
}

function warningsOf(title: string, summary: Summary): string[] {
  const { p50, halves, samples, units } = summary;
  if (halves !== null && disagree(halves[0], halves[1])) {
    return [
      `The machine is too noisy for "${title}": the median of the earlier half of the calls is ${shown(halves[0])}, ` +
        `of the later half ${shown(halves[1])}; end what else runs on it and measure again`,
    ];
  }
  const width = halfWidthOf(p50);
  if (width === null && units >= samplesMin) {
    return [
      `The machine is too noisy for "${title}": the times of its ${samples} calls vary so much from one part ` +
        "of the run to the next that their median is not known; end what else runs on it and measure again",
    ];
  }
  if (width === null || width <= halfWidthMax) return [];
  return [
    `The machine is too noisy, or the samples are too few, for "${title}": the median of its ${samples} calls ` +
      `is known only to within ${Math.round(width * 100)} %; take more samples, or a quieter machine`,
  ];
}

function disagree(one: Estimate, other: Estimate): boolean {
  if (one.low === null || one.high === null || other.low === null || other.high === null) return false;
  const apart = one.high < other.low || other.high < one.low;
  return apart && Math.abs(one.value - other.value) > differenceMin * Math.min(one.value, other.value);
}

/** Half of the interval as a part of the value; null without an interval. */
function halfWidthOf({ value, low, high }: Estimate): number | null {
  return low === null || high === null || !(value > 0) ? null : (high - low) / 2 / value;
}

function shown({ value, low, high }: Estimate): string {
  return `${formatMs(value)} ms (${formatMs(low)} to ${formatMs(high)})`;
}

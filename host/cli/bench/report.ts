// The report of a run as plain data: what --json writes, and what the table and the page are made of.
// Everything in it that was measured carries the number of its samples and its sampling error. Pure.

import { phaseNames } from "./answer-head.ts";
import type { CallSample } from "./calls.ts";
import { endToEndLabel, phaseLabels } from "./labels.ts";
import { machineWarnings } from "./noise.ts";
import { type Summary, summarize, summarizeBursts } from "./quantiles.ts";
import {
  type CallGroup,
  endToEndOf,
  type Figure,
  type Recorder,
  type TimelinePoint,
  type Verdict,
} from "./recorder.ts";

export type ReportRow = { readonly name: string; readonly summary: Summary | null };

/** Where the time of a middling call went, ms. */
export type Stack = readonly { readonly name: string; readonly ms: number }[];

export type ReportSection = {
  readonly title: string;
  readonly rows: readonly ReportRow[];
  /** Empty where there were no calls. */
  readonly stack: Stack;
  /** End to end, in the order of the calls; left out beyond `samplesKeptMax`. */
  readonly samplesMs: readonly number[] | null;
  /** End to end at each half percent, 0 to 100: enough to draw the distribution. */
  readonly percentilesMs: readonly number[];
};

export type Report = {
  readonly tool: string;
  readonly command: string;
  readonly functions: readonly string[];
  readonly startedAt: string;
  readonly seconds: number;
  readonly machine: Readonly<Record<string, string | number>>;
  readonly host: { readonly url: string; readonly own: boolean };
  readonly settings: Readonly<Record<string, string | number | boolean>>;
  /** Why the run ended before its end; null for a whole one. */
  readonly partial: string | null;
  readonly confidence: number;
  readonly sections: readonly ReportSection[];
  readonly figures: readonly Figure[];
  readonly timeline: readonly TimelinePoint[];
  readonly verdict: Verdict | null;
  readonly warnings: readonly string[];
  readonly notes: readonly string[];
};

export const samplesKeptMax = 20_000;

/** Sections, figures and warnings of what was recorded. */
export function recordedReport(
  recorder: Recorder,
): Pick<Report, "sections" | "figures" | "timeline" | "verdict" | "warnings" | "notes"> {
  const { starts, groups, timeline, verdict, warnings, notes } = recorder;
  const series = starts.map(({ name, samples }) => ({ name, summary: summarize(samples) }));
  const shown = groups.map((group) => sectionOf(group));
  const sections = series.length === 0 ? shown : [startSection(series), ...shown];
  return {
    sections,
    figures: recorder.figures(),
    timeline,
    verdict,
    warnings: [...warnings, ...machineWarnings(sections)],
    notes,
  };
}

function startSection(rows: readonly ReportRow[]): ReportSection {
  return { title: "Starts", rows, stack: [], samplesMs: null, percentilesMs: [] };
}

function sectionOf(group: CallGroup): ReportSection {
  const { title, calls, always, burstsFrom } = group;
  const endToEnd = endToEndOf(group);
  const bursts = burstsFrom.map((from, index) => calls.slice(from, burstsFrom[index + 1]));
  const summaryOf = (read: (call: CallSample) => number | undefined): Summary | null => {
    const of = (some: readonly CallSample[]): number[] => some.map(read).filter((ms) => ms !== undefined);
    return bursts.length === 0 ? summarize(of(calls)) : summarizeBursts(bursts.map(of));
  };
  const present = phaseNames.filter(
    (phase) => always.includes(phase) || calls.some(({ phases }) => phases[phase] !== undefined),
  );
  const rows = present.map((phase) => ({
    name: phaseLabels[phase],
    summary: summaryOf(({ phases }) => phases[phase]),
  }));
  const sorted = Float64Array.from(endToEnd).sort();
  return {
    title,
    rows: [
      ...rows,
      { name: phaseLabels.rest, summary: summaryOf(restOf) },
      { name: endToEndLabel, summary: summaryOf(({ endToEndMs }) => endToEndMs) },
    ],
    stack: stackOf(calls),
    samplesMs: calls.length > samplesKeptMax ? null : endToEnd.map(rounded),
    percentilesMs:
      calls.length === 0 ? [] : Array.from({ length: 201 }, (_, step) => percentileAt(sorted, step)),
  };
}

function percentileAt(sorted: Float64Array, step: number): number {
  return rounded(sorted[Math.round((step / 200) * (sorted.length - 1))] ?? Number.NaN);
}

/** The means over the half of the calls whose end to end time lies in the middle: they add up to theirs. */
function stackOf(calls: readonly CallSample[]): Stack {
  if (calls.length === 0) return [];
  const sorted = [...calls].sort((one, other) => one.endToEndMs - other.endToEndMs);
  const quarter = Math.floor(sorted.length / 4);
  const middle = sorted.slice(quarter, sorted.length - quarter);
  const mean = (read: (call: CallSample) => number): number =>
    rounded(middle.reduce((sum, call) => sum + read(call), 0) / middle.length);
  const phases = phaseNames.map((phase) => ({
    name: phaseLabels[phase],
    ms: mean((call) => call.phases[phase] ?? 0),
  }));
  return [...phases, { name: phaseLabels.rest, ms: mean(restOf) }].filter(({ ms }) => ms > 0);
}

/** What the host's phases leave: the way through sockets, HTTP and threads, and waiting to be sent. */
function restOf({ endToEndMs, phases }: CallSample): number {
  return Math.max(0, endToEndMs - phaseNames.reduce((sum, phase) => sum + (phases[phase] ?? 0), 0));
}

function rounded(ms: number): number {
  return Math.round(ms * 1e4) / 1e4;
}

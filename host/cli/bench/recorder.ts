// Where a run puts what it measures, as it measures it: what is in here when a run ends early is what
// there is to report. Groups and series are announced before they are filled, in the order of the report.

import type { PhaseName } from "./answer-head.ts";
import type { CallSample } from "./calls.ts";
import type { Estimate } from "./quantiles.ts";

export type CallGroup = {
  readonly title: string;
  /** Phases that are shown although no call had them. */
  readonly always: readonly PhaseName[];
  readonly calls: CallSample[];
  /** Where in `calls` each burst of calls begins; empty where calls were not sent together. */
  readonly burstsFrom: number[];
};

/** Times that are no calls, ms. */
export type Series = { readonly name: string; readonly samples: number[] };

export type Unit = "ms" | "bytes" | "calls/s" | "times" | "calls" | "threads";

export type Figure = {
  readonly name: string;
  readonly unit: Unit;
  /** Null where it is not known; `note` says why. */
  readonly estimate: Estimate | null;
  /** How many samples, rounds or readings it is made of. */
  readonly samples: number;
  readonly note?: string;
};

export type TimelinePoint = {
  readonly atMs: number;
  readonly threads: number;
  /** Calls that were sent and not answered; of those, admitted ones, and ones that wait for a thread. */
  readonly unanswered: number;
  readonly live: number;
  readonly waiting: number;
};

export type Verdict = {
  readonly outcome: "slower" | "not slower" | "undecided" | "faster" | "no difference";
  readonly text: string;
};

export class Recorder {
  readonly starts: Series[] = [];
  readonly groups: CallGroup[] = [];
  readonly timeline: TimelinePoint[] = [];
  readonly notes: string[] = [];
  /** What makes the figures others than they should be. */
  readonly warnings: string[] = [];
  verdict: Verdict | null = null;
  readonly #figures: (() => Figure | null)[] = [];

  series(name: string): Series {
    const series = { name, samples: [] };
    this.starts.push(series);
    return series;
  }

  group(title: string, always: readonly PhaseName[] = []): CallGroup {
    const group = { title, always, calls: [], burstsFrom: [] };
    this.groups.push(group);
    return group;
  }

  /** Asked at the end, however early that comes; null is left out. */
  figure(read: () => Figure | null): void {
    this.#figures.push(read);
  }

  figures(): Figure[] {
    return this.#figures.map((read) => read()).filter((figure) => figure !== null);
  }

  get isEmpty(): boolean {
    const samples = [
      ...this.starts.map((series) => series.samples),
      ...this.groups.map(({ calls }) => calls),
    ];
    return samples.every(({ length }) => length === 0) && this.figures().every(({ samples: n }) => n === 0);
  }
}

export function endToEndOf({ calls }: CallGroup): number[] {
  return calls.map(({ endToEndMs }) => endToEndMs);
}

// The contract of metering: what calls used, by hour, kept across restarts. Each batch is stored once however
// often it is handed over, and a run of the host that did not end well leaves a gap with its bounds.

import type { UsageBatch, UsageFigures, UsageGap } from "../usage.ts";

/** What sums can be told apart by. */
export type UsageColumn = "function" | "version" | "alias" | "outcome";

/** A sum; what it is not told apart by is absent. */
export type UsageSum = UsageFigures & {
  readonly function?: string;
  readonly version?: number;
  readonly alias?: string;
  readonly outcome?: string;
};

export type UsageFilter = {
  /** Null for all of them. */
  readonly function: string | null;
};

export interface UsageStore {
  /** Hours of which there is something, from and before these times, in turn. */
  hours(fromMs: number, toMs: number): number[];
  /** The sums of one hour. */
  ofHour(hourMs: number, columns: readonly UsageColumn[], filter: UsageFilter): UsageSum[];
  /** Those that overlap the time. */
  gaps(fromMs: number, toMs: number): UsageGap[];

  /** A run of the host process begins: one that came before and has not ended leaves a gap, which is given. */
  beginRun(run: string, atMs: number): Promise<UsageGap | null>;
  /** Adds a batch, unless it has been. */
  add(batch: UsageBatch): Promise<void>;
  /** It ended, with everything stored. */
  endRun(run: string): Promise<void>;
}

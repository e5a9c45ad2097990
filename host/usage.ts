// The nouns of metering: what calls used, summed. No I/O.

/** Whole numbers, so that sums are exact. */
export type UsageFigures = {
  readonly calls: number;
  readonly cpuUs: number;
  /** From the first byte of the request to the answer. */
  readonly wallUs: number;
  /** Of it, what guests waited for host calls. */
  readonly waitUs: number;
  /** Memory that guests held, over time: pages of 64 KiB times milliseconds. */
  readonly pageMs: number;
  /** Of bodies. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly hostCalls: number;
};

export const usageFigureNames = [
  "calls",
  "cpuUs",
  "wallUs",
  "waitUs",
  "pageMs",
  "bytesIn",
  "bytesOut",
  "hostCalls",
] as const satisfies readonly (keyof UsageFigures)[];

export type UsageKey = {
  readonly function: string;
  readonly version: number;
  /** By which the version was called; "" when the call named the version itself. */
  readonly alias: string;
  /** `ok`, `client_gone` or an error code. */
  readonly outcome: string;
};

export type UsageRow = UsageKey & UsageFigures;

/** What was counted since the batch before it, stored whole and once. */
export type UsageBatch = {
  /** Which run of the host process counted it, and the how manieth batch of it this is, from 1. */
  readonly run: string;
  readonly sequence: number;
  /** Unix ms. */
  readonly atMs: number;
  /** The hour in which it was counted, by its beginning, Unix ms. */
  readonly hourMs: number;
  readonly rows: readonly UsageRow[];
};

/** A run that did not end well: what it counted last, for a second at most, is missing. */
export type UsageGap = {
  /** When it had last stored what it counted, and when the next run began, Unix ms. */
  readonly fromMs: number;
  readonly toMs: number;
};

export const hourMs = 3_600_000;

/** The beginning of the hour, UTC. */
export function hourOf(atMs: number): number {
  return Math.floor(atMs / hourMs) * hourMs;
}

// Reports of what calls used, summed as asked, with what that costs. Reads the stored hours one by one and
// gives way in between: a report over years of a busy host keeps nobody waiting.

import { setImmediate as nextTurn } from "node:timers/promises";
import { HostError } from "../errors.ts";
import { limits } from "../limits.ts";
import { namespaceOf } from "../namespace.ts";
import { type Cost, costOf, type RateCard } from "../rate-card.ts";
import type { UsageColumn, UsageStore, UsageSum } from "../store/usage-store.ts";
import { hourMs, hourOf, type UsageFigures, type UsageGap, usageFigureNames } from "../usage.ts";

export const usageKeys = [
  "function",
  "version",
  "alias",
  "namespace",
  "outcome",
  "hour",
  "day",
  "month",
] as const;
export type UsageKeyName = (typeof usageKeys)[number];

export type UsageQuery = {
  /** One function, by its whole name; null for all. */
  readonly function: string | null;
  readonly namespace: string | null;
  /** Unix ms; from the hour that it is in, to the end of that. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly by: readonly UsageKeyName[];
};

/** What a row is about: the keys that were asked for. */
export type UsageLabels = Readonly<Partial<Record<UsageKeyName, string | number>>>;

export type UsageLine = {
  readonly labels: UsageLabels;
  readonly figures: UsageFigures;
  /** Calls by outcome. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly cost: Cost | null;
};

export type UsageReport = {
  readonly fromMs: number;
  readonly toMs: number;
  readonly lines: readonly UsageLine[];
  readonly total: UsageLine;
  readonly gaps: readonly UsageGap[];
  readonly currency: string | null;
};

export type UsageReportsParts = {
  readonly store: Pick<UsageStore, "hours" | "ofHour" | "gaps">;
  /** Stores what has been counted so far. */
  readonly flush: () => Promise<void>;
  /** Null where nothing has a price. */
  readonly rates: RateCard | null;
  /** Names of all functions, or of none where they are too many: those that were not called have used nothing. */
  readonly functions: () => readonly string[];
};

/** Time that is spent on a report before others have their turn, ms. */
const turnMs = 5;

type Sum = {
  readonly labels: UsageLabels;
  readonly figures: { -readonly [name in keyof UsageFigures]: number };
  readonly outcomes: Record<string, number>;
};

export class UsageReports {
  readonly #parts: UsageReportsParts;

  constructor(parts: UsageReportsParts) {
    this.#parts = parts;
  }

  /** Rejects with `bad_request` when it would have too many rows. */
  async report(query: UsageQuery): Promise<UsageReport> {
    const { store, flush, rates } = this.#parts;
    await flush();
    const fromMs = hourOf(query.fromMs);
    const toMs = hourOf(query.toMs - 1) + hourMs;
    const sums = new Map<string, Sum>();
    const total = newSum({});
    let turnEndsMs = performance.now() + turnMs;
    for (const atMs of store.hours(fromMs, toMs)) {
      for (const row of store.ofHour(atMs, columnsOf(query), { function: query.function })) {
        if (query.namespace !== null && namespaceOf(row.function ?? "") !== query.namespace) continue;
        addTo(sumOf(sums, labelsOf(row, atMs, query.by)), row);
        addTo(total, row);
      }
      if (performance.now() < turnEndsMs) continue;
      await nextTurn();
      turnEndsMs = performance.now() + turnMs;
    }
    this.#addIdle(sums, query);
    const toLine = (sum: Sum): UsageLine => ({ ...sum, cost: rates && costOf(sum.figures, rates) });
    return {
      fromMs,
      toMs,
      lines: [...sums.entries()].sort(byKey).map(([, sum]) => toLine(sum)),
      total: toLine(total),
      gaps: store.gaps(fromMs, toMs),
      currency: rates?.currency ?? null,
    };
  }

  /** A function that was not called has used nothing, and is shown with that. */
  #addIdle(sums: Map<string, Sum>, { by, function: name, namespace }: UsageQuery): void {
    if (by.length !== 1 || by[0] !== "function") return;
    for (const each of name === null ? this.#parts.functions() : [name]) {
      if (sums.size >= limits.usageAnswerRowsMax) return;
      if (namespace === null || namespaceOf(each) === namespace) sumOf(sums, { function: each });
    }
  }
}

function columnsOf({ by, namespace }: UsageQuery): UsageColumn[] {
  const columns: UsageColumn[] = ["outcome"];
  const isNamed = by.includes("function") || by.includes("version") || by.includes("namespace");
  if (isNamed || namespace !== null) columns.push("function");
  if (by.includes("version")) columns.push("version");
  if (by.includes("alias")) columns.push("alias");
  return columns;
}

/** In the order in which they were asked for. A version is one of a function, which is shown with it. */
function labelsOf(row: UsageSum, atMs: number, by: readonly UsageKeyName[]): UsageLabels {
  const labels: Partial<Record<UsageKeyName, string | number>> = {};
  for (const key of by) {
    if (key === "version") {
      labels.function = row.function ?? "";
      labels.version = row.version ?? 0;
    } else labels[key] = labelOf(key, row, atMs);
  }
  return labels;
}

function labelOf(key: Exclude<UsageKeyName, "version">, row: UsageSum, atMs: number): string {
  switch (key) {
    case "function":
      return row.function ?? "";
    case "alias":
      return row.alias ?? "";
    case "outcome":
      return row.outcome ?? "";
    case "namespace":
      return namespaceOf(row.function ?? "");
    case "hour":
      return new Date(atMs).toISOString();
    case "day":
      return new Date(atMs).toISOString().slice(0, 10);
    case "month":
      return new Date(atMs).toISOString().slice(0, 7);
  }
}

function sumOf(sums: Map<string, Sum>, labels: UsageLabels): Sum {
  const key = JSON.stringify(Object.values(labels));
  let sum = sums.get(key);
  if (sum === undefined) {
    if (sums.size >= limits.usageAnswerRowsMax) {
      throw new HostError(
        "bad_request",
        `The usage asked for has more than ${limits.usageAnswerRowsMax} rows; ask for less by from, to or function, or sum up more by by`,
      );
    }
    sum = newSum(labels);
    sums.set(key, sum);
  }
  return sum;
}

function newSum(labels: UsageLabels): Sum {
  return {
    labels,
    figures: { calls: 0, cpuUs: 0, wallUs: 0, waitUs: 0, pageMs: 0, bytesIn: 0, bytesOut: 0, hostCalls: 0 },
    outcomes: {},
  };
}

function addTo({ figures, outcomes }: Sum, row: UsageSum): void {
  for (const name of usageFigureNames) figures[name] += row[name];
  const outcome = row.outcome ?? "";
  outcomes[outcome] = (outcomes[outcome] ?? 0) + row.calls;
}

/** By label, in turn; numbers as such. */
function byKey([, { labels: a }]: [string, Sum], [, { labels: b }]: [string, Sum]): number {
  for (const key of Object.keys(a) as UsageKeyName[]) {
    const [one = "", other = ""] = [a[key], b[key]];
    if (one === other) continue;
    return one < other ? -1 : 1;
  }
  return 0;
}

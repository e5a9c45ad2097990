// /v1/usage: what calls used, in JSON or CSV (RFC 4180).

import { Hono } from "hono";
import { z } from "zod";
import { HostError } from "../errors.ts";
import {
  type UsageKeyName,
  type UsageLine,
  type UsageQuery,
  type UsageReport,
  type UsageReports,
  usageKeys,
} from "../services/usage-reports.ts";
import type { ControlEnv } from "./app.ts";
import { readQuery } from "./query.ts";

export type UsageRouteParts = { readonly usageReports: Pick<UsageReports, "report"> };

const querySchema = z.strictObject({
  function: z.string().min(1).max(127).optional(),
  namespace: z.string().min(1).max(63).optional(),
  from: z.string().optional(),
  to: z.string().optional(),
  by: z.string().default("function"),
  format: z.enum(["json", "csv"]).optional(),
});

/** A day, or a time with its offset from UTC (RFC 3339). */
const timePattern = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/;

const pageBytes = 65_536;

export function usageRoutes({ usageReports }: UsageRouteParts): Hono<ControlEnv> {
  const routes = new Hono<ControlEnv>();
  routes.get("/", async (context) => {
    const asked = readQuery(context, querySchema);
    const report = await usageReports.report(readUsageQuery(asked, Date.now()));
    const accept = context.req.header("accept") ?? "";
    if (asked.format === "csv" || (asked.format === undefined && /^text\/csv\b/i.test(accept.trim()))) {
      return context.body(usageCsv(report, readKeys(asked.by)), 200, {
        "content-type": "text/csv; charset=utf-8; header=present",
        "content-disposition": 'attachment; filename="usage.csv"',
      });
    }
    return context.json(shownReport(report));
  });
  return routes;
}

/** Throws `bad_request` that says what is wrong. */
export function readUsageQuery(asked: z.infer<typeof querySchema>, nowMs: number): UsageQuery {
  const now = new Date(nowMs);
  const monthMs = Date.UTC(now.getUTCFullYear(), now.getUTCMonth());
  const fromMs = asked.from === undefined ? monthMs : readTime("from", asked.from);
  const toMs = asked.to === undefined ? Math.max(nowMs, fromMs) + 1 : readTime("to", asked.to);
  if (fromMs >= toMs) {
    throw new HostError("bad_request", "Cannot read the query: from is not before to");
  }
  return {
    function: asked.function ?? null,
    namespace: asked.namespace ?? null,
    fromMs,
    toMs,
    by: readKeys(asked.by),
  };
}

function readTime(name: string, text: string): number {
  const ms = timePattern.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isFinite(ms) && ms >= 0) return ms;
  const shown = JSON.stringify(text.slice(0, 40));
  throw new HostError(
    "bad_request",
    `Cannot read the query: ${name} is ${shown}, want a day such as 2026-11-30 or a time such as 2026-11-30T12:00:00Z, of 1970 or later`,
  );
}

function readKeys(text: string): UsageKeyName[] {
  const words = text.split(",").filter((word) => word !== "");
  const unknown = words.find((word) => !isKey(word));
  if (unknown !== undefined) {
    const shown = JSON.stringify(unknown.slice(0, 40));
    throw new HostError(
      "bad_request",
      `Cannot read the query: by names ${shown}, want some of ${usageKeys.join(", ")}, separated by commas`,
    );
  }
  return [...new Set(words.filter(isKey))];
}

function isKey(word: string): word is UsageKeyName {
  return usageKeys.some((key) => key === word);
}

function shownReport({ fromMs, toMs, lines, total, gaps, currency }: UsageReport) {
  return {
    from: timeText(fromMs),
    to: timeText(toMs),
    ...(currency !== null && { currency }),
    rows: lines.map(shownLine),
    total: shownLine(total),
    gaps: gaps.map((gap) => ({ from: timeText(gap.fromMs), to: timeText(gap.toMs) })),
  };
}

function shownLine({ labels, figures, outcomes, cost }: UsageLine) {
  return { ...labels, ...shownFigures({ figures }), outcomes, ...(cost !== null && { cost }) };
}

function shownFigures({ figures }: Pick<UsageLine, "figures">) {
  return {
    calls: figures.calls,
    cpuMs: figures.cpuUs / 1_000,
    wallMs: figures.wallUs / 1_000,
    waitMs: figures.waitUs / 1_000,
    gbSeconds: (figures.pageMs * pageBytes) / 1e12,
    bytesIn: figures.bytesIn,
    bytesOut: figures.bytesOut,
    hostCalls: figures.hostCalls,
  };
}

/** One line per row, and no total: whoever sums it up wants none. */
function usageCsv({ lines, currency }: UsageReport, by: readonly UsageKeyName[]): string {
  const keys = by.flatMap((key) =>
    key === "version" && !by.includes("function") ? ["function", key] : [key],
  );
  const figures = Object.keys(shownFigures({ figures: noFigures }));
  const money = currency === null ? [] : ["cost", "currency"];
  const rows = lines.map((line) => [
    ...keys.map((key) => line.labels[key as UsageKeyName] ?? ""),
    line.outcomes["ok"] ?? 0,
    ...Object.values(shownFigures(line)),
    ...(line.cost === null ? [] : [line.cost.total, currency ?? ""]),
  ]);
  return [[...keys, "ok", ...figures, ...money], ...rows]
    .map((cells) => `${cells.map(csvCell).join(",")}\r\n`)
    .join("");
}

const noFigures = {
  calls: 0,
  cpuUs: 0,
  wallUs: 0,
  waitUs: 0,
  pageMs: 0,
  bytesIn: 0,
  bytesOut: 0,
  hostCalls: 0,
};

/** Numbers without an exponent, which not every reader of CSV knows. */
function csvCell(value: string | number): string {
  if (typeof value === "number") return Number.isInteger(value) ? String(value) : value.toFixed(9);
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}

// The report as lines of text for a terminal.

import { formatTable, type Output } from "../output.ts";
import { terminalLine } from "../terminal-text.ts";
import { formatEstimate, formatInterval, formatMs, unknownText } from "./format.ts";
import type { Summary } from "./quantiles.ts";
import type { Report, ReportRow } from "./report.ts";

const timesHead = ["ms", "SAMPLES", "P50", "95 % OF P50", "P90", "P99", "MAX"];
const noTimes: readonly string[] = ["0", ...Array.from({ length: 5 }, () => unknownText)];

export function printReport(report: Report, output: Output): void {
  const { command, functions, machine, host, partial } = report;
  const what = functions.map(terminalLine).join(" and ");
  output.line(output.style("bold", `mayfly bench ${command}: ${what}`));
  const where = host.own ? "a host of its own" : host.url;
  output.line(`${Object.values(machine).join(", ")}; against ${where}; ${report.seconds.toFixed(1)} s`);
  if (partial !== null) output.line(output.style("yellow", `PARTIAL: ${partial}`));
  for (const { title, rows } of report.sections) {
    if (rows.every(({ summary }) => summary === null)) continue;
    output.line("");
    printTable(title, timesHead, rows.map(timesRow), output);
  }
  printFigures(report, output);
  printRemarks(report, output);
}

function printFigures({ figures }: Report, output: Output): void {
  if (figures.length === 0) return;
  output.line("");
  const rows = figures.map(({ name, unit, estimate, samples, note = "" }) => [
    name,
    String(samples),
    ...formatEstimate(estimate, unit),
    note,
  ]);
  printTable("Figures", ["", "SAMPLES", "VALUE", "95 %", ""], rows, output);
}

function printRemarks({ verdict, warnings, notes }: Report, output: Output): void {
  if (verdict !== null) {
    output.line("");
    const colour =
      verdict.outcome === "slower" ? "red" : verdict.outcome === "undecided" ? "yellow" : "green";
    output.line(output.style(colour, verdict.text));
  }
  if (warnings.length + notes.length > 0) output.line("");
  for (const warning of warnings) output.line(output.style("yellow", `Warning: ${warning}`));
  for (const note of notes) output.line(note);
}

function printTable(
  title: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
  output: Output,
): void {
  const [first = "", ...lines] = formatTable(head, rows);
  output.line(output.style("bold", title));
  for (const line of [first, ...lines]) output.line(`  ${line.trimEnd()}`);
}

function timesRow({ name, summary }: ReportRow): readonly string[] {
  return [name, ...(summary === null ? noTimes : timesOf(summary))];
}

function timesOf({ samples, p50, p90, p99, max }: Summary): string[] {
  const times = [p90.value, p99.value, max].map(formatMs);
  return [String(samples), formatMs(p50.value), formatInterval(p50, formatMs), ...times];
}

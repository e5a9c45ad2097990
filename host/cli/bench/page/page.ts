// The report as one HTML page that needs nothing else: plots, then the same tables as in the terminal.

import { formatEstimate, formatInterval, formatMs, unknownText } from "../format.ts";
import { endToEndLabel } from "../labels.ts";
import type { Report, ReportRow, ReportSection } from "../report.ts";
import { distributionPlot } from "./distribution.ts";
import { element, escaped } from "./markup.ts";
import { phasesPlot } from "./phases.ts";
import { pageStyle } from "./style.ts";
import { timelinePlots } from "./timeline.ts";

export function pageOf(report: Report): string {
  const title = `mayfly bench ${report.command}: ${report.functions.join(" and ")}`;
  const head =
    element("title", {}, escaped(title)) +
    '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">' +
    element("style", {}, pageStyle);
  const shown = report.sections.filter(({ rows }) => rows.some(({ summary }) => summary !== null));
  const body = [
    element("h1", {}, escaped(title)),
    element("p", { class: "about" }, escaped(aboutOf(report))),
    remarksOf(report),
    part("Distribution of end to end times", distributionPlot(shown)),
    part("Where the time goes, mean of the middle half of the calls", phasesPlot(shown)),
    part("Threads and queue over time", timelinePlots(report.timeline)),
    ...shown.map((section) => part(section.title, timesTable(section))),
    part("Figures", report.figures.length === 0 ? "" : figuresTable(report)),
    element("p", { class: "about" }, escaped(footOf(report))),
  ];
  return `<!doctype html>\n<html lang="en"><head>${head}</head><body>\n${body.join("\n")}\n</body></html>\n`;
}

function part(title: string, content: string): string {
  return content === "" ? "" : element("section", {}, element("h2", {}, escaped(title)) + content);
}

function aboutOf({ machine, host, startedAt, seconds, settings }: Report): string {
  const where = host.own ? "a host of its own" : host.url;
  const asked = Object.entries(settings).map(([name, value]) => `${name} ${value}`);
  return `${startedAt}, ${seconds.toFixed(1)} s, against ${where}; ${Object.values(machine).join(", ")}; ${asked.join(", ")}`;
}

function footOf({ confidence, notes }: Report): string {
  const error = `Intervals hold the true value with ${confidence * 100} %, unless a note says another part; ${unknownText} where the samples are too few.`;
  return [error, ...notes].join(" ");
}

function remarksOf({ partial, verdict, warnings }: Report): string {
  const remarks = [...(partial === null ? [] : [`Partial: ${partial}`]), ...warnings];
  const shown = remarks.map((text) => element("p", { class: "remark" }, escaped(text)));
  return (verdict === null ? "" : element("p", { class: "verdict" }, escaped(verdict.text))) + shown.join("");
}

function timesTable({ rows }: ReportSection): string {
  const head = ["ms", "samples", "p50", "95 % of p50", "p90", "95 % of p90", "p99", "95 % of p99", "max"];
  return table(head, rows.map(timesRow));
}

function timesRow({ name, summary }: ReportRow): string {
  const cells =
    summary === null
      ? ["0", ...Array.from({ length: 7 }, () => unknownText)]
      : [
          String(summary.samples),
          ...[summary.p50, summary.p90, summary.p99].flatMap((estimate) => [
            formatMs(estimate.value),
            formatInterval(estimate, formatMs),
          ]),
          formatMs(summary.max),
        ];
  return row([name, ...cells], name === endToEndLabel ? "total" : "");
}

function figuresTable({ figures }: Report): string {
  const rows = figures.map(({ name, unit, estimate, samples, note = "" }) =>
    row([name, String(samples), ...formatEstimate(estimate, unit)], "", note),
  );
  return table(["", "samples", "value", "95 %", ""], rows);
}

function table(head: readonly string[], rows: readonly string[]): string {
  const cells = head.map((text) => element("th", {}, escaped(text))).join("");
  const content = element("thead", {}, element("tr", {}, cells)) + element("tbody", {}, rows.join(""));
  return element("div", { class: "wide" }, element("table", {}, content));
}

function row(cells: readonly string[], kind: string, note?: string): string {
  const last = note === undefined ? "" : element("td", { class: "note" }, escaped(note));
  const content = cells.map((text) => element("td", {}, escaped(text))).join("") + last;
  return element("tr", kind === "" ? {} : { class: kind }, content);
}

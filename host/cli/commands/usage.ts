// `mayfly usage`: what calls used, and what that costs. With --csv what the host writes as such, for a
// spreadsheet or a bill.

import { z } from "zod";
import { qualifiedName } from "../../namespace.ts";
import { type CommandSpec, flagOption, textOption } from "../command.ts";
import { WrongUsage } from "../failure.ts";
import { readAnswerBytes, readJson } from "../host-answer.ts";
import { formatBytes, formatTable, type Output } from "../output.ts";
import { terminalLine } from "../terminal-text.ts";

const row = z.looseObject({
  function: z.string().optional(),
  version: z.number().optional(),
  alias: z.string().optional(),
  namespace: z.string().optional(),
  outcome: z.string().optional(),
  hour: z.string().optional(),
  day: z.string().optional(),
  month: z.string().optional(),
  calls: z.number(),
  cpuMs: z.number(),
  wallMs: z.number(),
  waitMs: z.number(),
  gbSeconds: z.number(),
  bytesIn: z.number(),
  bytesOut: z.number(),
  hostCalls: z.number(),
  outcomes: z.record(z.string(), z.number()),
  cost: z.looseObject({ total: z.string() }).optional(),
});
const report = z.looseObject({
  from: z.string(),
  to: z.string(),
  currency: z.string().optional(),
  rows: z.array(row),
  total: row,
  gaps: z.array(z.looseObject({ from: z.string(), to: z.string() })),
});

type Row = z.infer<typeof row>;

const keys = ["month", "day", "hour", "namespace", "function", "version", "alias", "outcome"] as const;
const hourMs = 3_600_000;

export const usageCommand: CommandSpec = {
  name: "usage",
  args: "[function]",
  summary: "print what calls used, and what that costs",
  examples: [
    "mayfly usage",
    "mayfly usage hello --by day --last 7d",
    "mayfly usage --by function,version --from 2026-11-01 --to 2026-12-01 --csv > november.csv",
  ],
  notes:
    "Hours are whole, in UTC. Without times it is this month so far. Without --namespace it is of all namespaces.",
  options: [
    {
      flags: "--by <keys>",
      meaning: "function, version, alias, namespace, outcome, hour, day, month, with commas",
    },
    { flags: "--from <time>", meaning: "a day, 2026-11-30, or a time, 2026-11-30T12:00:00Z" },
    { flags: "--to <time>", meaning: "the same; now unless given" },
    { flags: "--last <span>", meaning: "in place of --from: hours or days, 24h or 7d" },
    { flags: "--csv", meaning: "print CSV" },
  ],
  usesHost: true,
  async run([name], { client, io, namespace, options, output }) {
    const query = new URLSearchParams();
    const put = (key: string, value: string | undefined): void => {
      if (value !== undefined) query.set(key, value);
    };
    put("function", name === undefined ? undefined : qualifiedName(name, namespace()));
    put("by", textOption(options, "by"));
    put("namespace", textOption(options, "namespace") ?? io.env.MAYFLY_NAMESPACE);
    put("from", fromTime(textOption(options, "from"), textOption(options, "last"), Date.now()));
    put("to", textOption(options, "to"));
    const host = client();
    if (flagOption(options, "csv")) {
      query.set("format", "csv");
      const answer = await host.send("GET", `/v1/usage?${query}`, undefined, { accept: "text/csv" });
      io.stdout.write(await readAnswerBytes(host.url, answer));
      return 0;
    }
    const found = await readJson(host.url, await host.send("GET", `/v1/usage?${query}`), report);
    output.value(found);
    print(found, output);
    return 0;
  },
};

/** Throws WrongUsage. */
function fromTime(from: string | undefined, last: string | undefined, nowMs: number): string | undefined {
  if (last === undefined) return from;
  if (from !== undefined) throw new WrongUsage("--from and --last exclude each other");
  const [, count, unit] = /^([1-9]\d{0,4})([hd])$/.exec(last) ?? [];
  if (count === undefined) throw new WrongUsage(`--last is ${last}, want hours or days, such as 24h or 7d`);
  // The hour that runs is one of them.
  const hours = Number(count) * (unit === "d" ? 24 : 1) - 1;
  return new Date(Math.max(0, nowMs - hours * hourMs)).toISOString();
}

function print(found: z.infer<typeof report>, output: Output): void {
  const { rows, total, currency, gaps } = found;
  const labels = keys.filter((key) => rows.some((each) => each[key] !== undefined));
  const cells = (each: Row): string[] => [
    ...labels.map((key) => terminalLine(String(each[key] ?? ""))),
    ...figures(each, currency),
  ];
  const head = [
    ...labels.map((key) => key.toUpperCase()),
    ...["CALLS", "FAILED", "CPU", "WALL", "WAIT", "GB-S", "IN", "OUT", "HOST CALLS"],
    ...(currency === undefined ? [] : [terminalLine(currency)]),
  ];
  const sum = ["TOTAL", ...labels.slice(1).map(() => ""), ...figures(total, currency)];
  const shown = [...rows.map(cells), ...(labels.length === 0 ? [] : [sum])];
  for (const line of formatTable(head, shown)) output.line(line);
  output.line(`From ${terminalLine(found.from)} to ${terminalLine(found.to)}, hours in UTC`);
  for (const { from, to } of gaps) {
    output.note(
      `The host did not end well between ${terminalLine(from)} and ${terminalLine(to)}: up to a second is missing`,
    );
  }
}

function figures(each: Row, currency: string | undefined): string[] {
  const failed = each.calls - (each.outcomes["ok"] ?? 0);
  return [
    String(each.calls),
    String(failed),
    seconds(each.cpuMs),
    seconds(each.wallMs),
    seconds(each.waitMs),
    each.gbSeconds.toFixed(3),
    formatBytes(each.bytesIn),
    formatBytes(each.bytesOut),
    String(each.hostCalls),
    ...(currency === undefined ? [] : [terminalLine(each.cost?.total ?? "-")]),
  ];
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(3)} s`;
}

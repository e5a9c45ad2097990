// `mayfly audit`: who changed what on a host.

import { z } from "zod";
import { type CommandSpec, textOption } from "../command.ts";
import { WrongUsage } from "../failure.ts";
import { readJson } from "../host-answer.ts";
import { formatTable } from "../output.ts";
import { terminalLine } from "../terminal-text.ts";

const entry = z.looseObject({
  at: z.string(),
  who: z.string(),
  method: z.string(),
  target: z.string(),
  namespace: z.string(),
  status: z.number().nullable(),
  before: z.unknown(),
  after: z.unknown(),
});
const page = z.looseObject({ entries: z.array(entry), cursor: z.string().nullable() });

export const auditCommand: CommandSpec = {
  name: "audit",
  args: "",
  summary: "show who changed what, newest first",
  examples: ["mayfly audit", "mayfly audit --limit 10 --json"],
  options: [{ flags: "--limit <count>", meaning: "so many changes, default 50, at most 1000" }],
  usesHost: true,
  async run(_args, { client, options, output }) {
    const limit = textOption(options, "limit") ?? "50";
    if (!/^[1-9]\d{0,3}$/.test(limit))
      throw new WrongUsage(`--limit is ${JSON.stringify(limit)}, want a number`);
    const host = client();
    const { entries } = await readJson(host.url, await host.send("GET", `/v1/audit?limit=${limit}`), page);
    output.value(entries);
    const rows = entries.map((each) => [
      each.at,
      each.who,
      each.namespace,
      `${each.method} ${terminalLine(each.target)}`,
      each.status === null ? "?" : String(each.status),
      terminalLine(`${shown(each.before)} -> ${shown(each.after)}`),
    ]);
    const head = ["AT", "WHO", "NAMESPACE", "CHANGE", "STATUS", "BEFORE -> AFTER"];
    for (const line of formatTable(head, rows)) output.line(line);
    return 0;
  },
};

const shownMax = 100;

function shown(value: unknown): string {
  const text = value === null || value === undefined ? "-" : JSON.stringify(value);
  return text.length <= shownMax ? text : `${text.slice(0, shownMax)}...`;
}

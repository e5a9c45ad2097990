// `mayfly list`: every function of the host with its live version.

import type { FunctionRecord } from "../client.ts";
import type { CommandSpec } from "../command.ts";
import { formatBytes, formatTable } from "../output.ts";
import { terminalLine } from "../terminal-text.ts";
import { functionUrl } from "./deploy.ts";

export const listCommand: CommandSpec = {
  name: "list",
  args: "",
  summary: "list the functions of the host",
  examples: ["mayfly list", "mayfly list --json"],
  options: [],
  usesHost: true,
  async run(_args, { client, output }) {
    const host = client();
    const functions = await host.list();
    output.value(functions.map((record) => ({ ...record, url: functionUrl(host.url, record) })));
    if (functions.length === 0) {
      output.line(`No functions yet; put one online with "mayfly deploy NAME FILE"`);
      return 0;
    }
    const rows = functions.map((record) => [
      terminalLine(record.name),
      versionText(record),
      typeof record.bytes === "number" ? formatBytes(record.bytes) : "-",
      formatTime(record.createdAt),
      functionUrl(host.url, record),
    ]);
    const [head = "", ...lines] = formatTable(["NAME", "VERSION", "SIZE", "CREATED", "URL"], rows);
    output.line(output.style("bold", head));
    for (const line of lines) output.line(line);
    return 0;
  },
};

function versionText({ version, metered }: FunctionRecord): string {
  if (typeof version !== "number") return "-";
  return `v${version}${metered === false ? " (unmetered)" : ""}`;
}

function formatTime(time: string | number | null | undefined): string {
  const date = new Date(time ?? Number.NaN);
  return Number.isNaN(date.getTime()) ? "-" : date.toISOString().replace(/\.\d+Z$/, "Z");
}

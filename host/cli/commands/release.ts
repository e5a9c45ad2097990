// `mayfly release`, `mayfly promote` and `mayfly alias …`: which versions of a function run.

import { z } from "zod";
import { readAlias, readFunctionName, readMs, readPercent, readVersion } from "../arguments.ts";
import {
  type CommandGroup,
  type CommandSpec,
  type OptionValues,
  requiredArgument,
  textOption,
} from "../command.ts";
import { WrongUsage } from "../failure.ts";
import { readJson } from "../host-answer.ts";
import { formatTable } from "../output.ts";
import { terminalLine } from "../terminal-text.ts";

const aliasRecord = z.looseObject({
  alias: z.string(),
  versions: z.array(z.looseObject({ version: z.number(), percent: z.number() })).min(1),
  sticky: z.looseObject({ header: z.string().optional(), cookie: z.string().optional() }).nullable(),
  takenBack: z.looseObject({ reason: z.string() }).nullable(),
});
const aliasList = z.looseObject({ aliases: z.array(aliasRecord) });
type AliasRecord = z.infer<typeof aliasRecord>;

const aliasPath = (name: string, alias: string): string =>
  `/v1/functions/${name}/aliases/${encodeURIComponent(alias)}`;

const aliasOption = { flags: "--alias <alias>", meaning: "an alias other than live" };

export const releaseCommand: CommandSpec = {
  name: "release",
  args: "<name> <version>",
  summary: "make a version live, or give it a share of the calls",
  examples: [
    "mayfly release hello 4",
    "mayfly release hello 4 --canary 10%",
    "mayfly release hello 4 --canary 5% --max-errors 2% --max-p99 250ms --sticky cookie:session",
    "mayfly release hello 4 --alias staging",
  ],
  notes:
    "With --canary the version that is live keeps the other calls; promote and rollback end that.\n" +
    "A canary with bounds is taken back by the host when it passes one (docs/releases.md).",
  options: [
    { flags: "--canary <percent>", meaning: "the share of calls that it gets, such as 10%" },
    aliasOption,
    {
      flags: "--sticky <source>",
      meaning: "header:NAME or cookie:NAME, whose value decides the version",
    },
    { flags: "--max-errors <percent>", meaning: "take the canary back when more of its calls fail" },
    { flags: "--max-p99 <time>", meaning: "take it back when its p99 is over this, such as 250ms" },
    { flags: "--min-calls <count>", meaning: "judge it by so many calls at least (default 100)" },
    { flags: "--window <time>", meaning: "judge it by the calls of this long (default 60s)" },
  ],
  usesHost: true,
  async run(args, { client, options, output }) {
    const name = readFunctionName(requiredArgument(args, 0));
    const version = readVersion(requiredArgument(args, 1));
    const alias = readAlias(textOption(options, "alias"));
    const split = splitOf(options);
    const host = client();
    const path = aliasPath(name, alias);
    let headers: Record<string, string> = {};
    let body: object = { version };
    if (split !== null) {
      const answer = await host.send("GET", path);
      // Whatever is changed meanwhile is not to be undone.
      headers = { "if-match": answer.headers.etag ?? "*" };
      const { versions } = await readJson(host.url, answer, aliasRecord);
      const { percent, ...settings } = split;
      const stable = { version: versions[0]?.version, percent: (10_000 - Math.round(percent * 100)) / 100 };
      body = { versions: [stable, { version, percent }], ...settings };
    }
    const bytes = new TextEncoder().encode(JSON.stringify(body));
    const answer = await host.send("PUT", path, { type: "application/json", bytes }, { headers });
    const record = await readJson(host.url, answer, aliasRecord);
    output.value(record);
    output.line(`${name}${alias === "live" ? "" : `@${terminalLine(alias)}`} runs ${describeSplit(record)}`);
    return 0;
  },
};

export const promoteCommand: CommandSpec = {
  name: "promote",
  args: "<name>",
  summary: "give a canary all calls",
  examples: ["mayfly promote hello"],
  options: [aliasOption],
  usesHost: true,
  async run(args, { client, options, output }) {
    const name = readFunctionName(requiredArgument(args, 0));
    const alias = readAlias(textOption(options, "alias"));
    const record = await client().promote(name, alias);
    output.value(record);
    const what = alias === "live" ? "live" : `what ${terminalLine(alias)} leads to`;
    output.line(`${name} v${record.version ?? "?"} is ${what}`);
    return 0;
  },
};

const list: CommandSpec = {
  name: "list",
  args: "<name>",
  summary: "list the aliases of a function with what they lead to",
  examples: ["mayfly alias list hello"],
  options: [],
  usesHost: true,
  async run(args, { client, output }) {
    const name = readFunctionName(requiredArgument(args, 0));
    const host = client();
    const answer = await host.send("GET", `/v1/functions/${name}/aliases`);
    const { aliases } = await readJson(host.url, answer, aliasList);
    output.value(aliases);
    const rows = aliases.map((alias) => [
      terminalLine(alias.alias),
      describeSplit(alias),
      terminalLine(alias.takenBack === null ? stickyText(alias) : `taken back: ${alias.takenBack.reason}`),
    ]);
    for (const line of formatTable(["ALIAS", "RUNS", ""], rows)) output.line(line.trimEnd());
    return 0;
  },
};

const remove: CommandSpec = {
  name: "remove",
  args: "<name> <alias>",
  summary: "remove an alias of a function",
  examples: ["mayfly alias remove hello staging"],
  options: [],
  usesHost: true,
  async run(args, { client, output }) {
    const name = readFunctionName(requiredArgument(args, 0));
    const alias = readAlias(requiredArgument(args, 1));
    (await client().send("DELETE", aliasPath(name, alias))).resume();
    output.value({ removed: alias, function: name });
    output.line(`Removed ${terminalLine(alias)} of ${name}`);
    return 0;
  },
};

export const aliasCommands: CommandGroup = {
  name: "alias",
  summary: "names for versions of a function",
  examples: ["mayfly alias list hello", "mayfly alias remove hello staging"],
  commands: [list, remove],
};

/** `v3 (90 %) and v4 (10 %)`. */
function describeSplit({ versions }: AliasRecord): string {
  if (versions.length === 1) return `v${versions[0]?.version}`;
  return versions.map(({ version, percent }) => `v${version} (${percent} %)`).join(" and ");
}

function stickyText({ sticky }: AliasRecord): string {
  if (sticky === null) return "";
  return sticky.header === undefined ? `by the cookie ${sticky.cookie}` : `by the header ${sticky.header}`;
}

/** What the options of a canary say; null for none. */
function splitOf(options: OptionValues) {
  const text = (name: string): string | undefined => textOption(options, name);
  const share = text("canary");
  if (share === undefined) {
    const further = ["sticky", "maxErrors", "maxP99", "minCalls", "window"].find((name) => text(name));
    if (further === undefined) return null;
    throw new WrongUsage(`What else is said is about a canary: add --canary 10%, or leave it out`);
  }
  const errors = text("maxErrors");
  const p99 = text("maxP99");
  const calls = text("minCalls");
  const window = text("window");
  if (errors === undefined && p99 === undefined && (calls ?? window) !== undefined) {
    throw new WrongUsage("There is no bound to judge it by: add --max-errors 5% or --max-p99 250ms");
  }
  if (calls !== undefined && !/^[1-9]\d{0,6}$/.test(calls)) {
    throw new WrongUsage(`Cannot read ${JSON.stringify(calls)} as a number of calls`);
  }
  const guard = {
    errorPercentMax: errors === undefined ? null : readPercent(errors),
    p99MsMax: p99 === undefined ? null : readMs(p99),
    ...(calls !== undefined && { callsMin: Number(calls) }),
    ...(window !== undefined && { windowMs: readMs(window) }),
  };
  return {
    percent: readPercent(share),
    sticky: stickyOf(text("sticky")),
    guard: errors === undefined && p99 === undefined ? null : guard,
  };
}

function stickyOf(text: string | undefined): object | null {
  if (text === undefined) return null;
  const [, kind, name] = /^(header|cookie):(.+)$/.exec(text) ?? [];
  if (kind === undefined || name === undefined) {
    throw new WrongUsage(`Cannot read ${JSON.stringify(text)}, want header:NAME or cookie:NAME`);
  }
  return { [kind]: name };
}

// `mayfly token …`: who may do what on a host.

import { z } from "zod";
import {
  type CommandGroup,
  type CommandSpec,
  flagOption,
  listOption,
  requiredArgument,
  textOption,
} from "../command.ts";
import { WrongUsage } from "../failure.ts";
import { readJson } from "../host-answer.ts";
import { formatTable } from "../output.ts";
import { terminalLine } from "../terminal-text.ts";

const token = z.looseObject({
  id: z.string(),
  label: z.string(),
  scopes: z.array(z.string()),
  names: z.array(z.string()),
  namespace: z.string().nullable(),
  expiresAt: z.string().nullable(),
  usedAt: z.string().nullable(),
});
const tokenList = z.looseObject({ tokens: z.array(token) });
const madeToken = token.extend({ token: z.string() });

const create: CommandSpec = {
  name: "create",
  args: "<label>",
  summary: "make a token, which is shown once",
  examples: [
    "mayfly token create ci --scope deploy --names 'shop-*' --expires 90d",
    "mayfly token create app --scope invoke --rate 100",
    "mayfly token create prometheus --scope read --all-namespaces",
  ],
  notes:
    "Scopes: read looks, deploy changes and looks, invoke calls functions that ask for a token,\n" +
    "admin does all, and makes tokens. The token itself is printed on standard output.",
  options: [
    { flags: "--scope <scope>", meaning: "read, deploy, invoke or admin", repeatable: true },
    { flags: "--names <patterns>", meaning: "functions, stores, buckets and topics it is for, default *" },
    { flags: "--expires <time>", meaning: "after which it opens nothing: 12h, 90d; default never" },
    { flags: "--rate <calls>", meaning: "each second, by it" },
    { flags: "--all-namespaces", meaning: "for all namespaces of the host" },
  ],
  usesHost: true,
  async run(args, { client, options, output }) {
    const names = textOption(options, "names");
    const expires = textOption(options, "expires");
    const settings = {
      label: requiredArgument(args, 0),
      scopes: listOption(options, "scope"),
      ...(names !== undefined && { names: names.split(",").map((name) => name.trim()) }),
      ...(expires !== undefined && { expiresInS: readSeconds(expires) }),
      ...readRate(textOption(options, "rate")),
      ...(flagOption(options, "allNamespaces") && { allNamespaces: true }),
    };
    if (settings.scopes.length === 0)
      throw new WrongUsage("Name what it is for: --scope read, deploy, invoke or admin");
    const host = client();
    const bytes = new TextEncoder().encode(JSON.stringify(settings));
    const answer = await host.send("POST", "/v1/tokens", { type: "application/json", bytes });
    const made = await readJson(host.url, answer, madeToken);
    output.value(made);
    output.line(made.token);
    output.note(`It is token ${made.id}, and is not shown again`);
    return 0;
  },
};

const list: CommandSpec = {
  name: "list",
  args: "",
  summary: "list tokens: what they are for, and when they were used last",
  examples: ["mayfly token list"],
  options: [],
  usesHost: true,
  async run(_args, { client, output }) {
    const host = client();
    const { tokens } = await readJson(host.url, await host.send("GET", "/v1/tokens"), tokenList);
    output.value(tokens);
    const rows = tokens.map((each) => [
      each.id,
      terminalLine(each.label),
      each.scopes.join(","),
      each.names.join(","),
      each.namespace ?? "(all)",
      each.expiresAt ?? "never",
      each.usedAt ?? "never",
    ]);
    const head = ["ID", "LABEL", "SCOPES", "NAMES", "NAMESPACE", "EXPIRES", "USED"];
    for (const line of formatTable(head, rows)) output.line(line);
    return 0;
  },
};

const revoke: CommandSpec = {
  name: "revoke",
  args: "<id>",
  summary: "revoke a token: it opens nothing from now on",
  examples: ["mayfly token revoke 0f1e2d3c4b5a6978"],
  options: [],
  usesHost: true,
  async run(args, { client, output }) {
    const id = requiredArgument(args, 0);
    (await client().send("DELETE", `/v1/tokens/${encodeURIComponent(id)}`)).resume();
    output.value({ revoked: id });
    output.line(`Revoked ${terminalLine(id)}`);
    return 0;
  },
};

export const tokenCommands: CommandGroup = {
  name: "token",
  summary: "make tokens, list them, and revoke them",
  examples: ["mayfly token create ci --scope deploy", "mayfly token list"],
  commands: [create, list, revoke],
};

const secondsOf: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

function readSeconds(text: string): number {
  const [, count = "", unit = ""] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  if (count !== "") return Number(count) * (secondsOf[unit] ?? 1);
  throw new WrongUsage(`--expires is ${JSON.stringify(text)}, want a time such as 12h or 90d`);
}

function readRate(text: string | undefined): { ratePerSecond?: number } {
  if (text === undefined) return {};
  if (/^\d{1,7}(\.\d{1,3})?$/.test(text)) return { ratePerSecond: Number(text) };
  throw new WrongUsage(`--rate is ${JSON.stringify(text)}, want calls each second`);
}

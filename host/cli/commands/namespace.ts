// `mayfly namespace …`: rooms of a host that see nothing of one another, and what each may have.

import { z } from "zod";
import { noQuotas, type QuotaName } from "../../quotas.ts";
import { readPair } from "../arguments.ts";
import { type CommandGroup, type CommandSpec, requiredArgument } from "../command.ts";
import { WrongUsage } from "../failure.ts";
import { readJson } from "../host-answer.ts";
import { formatTable } from "../output.ts";
import { terminalLine } from "../terminal-text.ts";

const numbers = z.record(z.string(), z.number().nullable());
const namespace = z.looseObject({ name: z.string(), quotas: numbers, use: numbers });
const namespaceList = z.looseObject({ namespaces: z.array(namespace) });

const quotaNames = Object.keys(noQuotas) as QuotaName[];

const set: CommandSpec = {
  name: "set",
  args: "<namespace> [quotas...]",
  summary: "make a namespace, or give it other quotas",
  examples: [
    "mayfly namespace set team",
    "mayfly namespace set team functions=20 bytes=200000000 callsPerSecond=500 memoryMb=512",
  ],
  notes: `Quotas: ${quotaNames.join(" ")}. Those that are not named are none.`,
  options: [],
  usesHost: true,
  async run(args, { client, output }) {
    const name = requiredArgument(args, 0);
    const quotas = Object.fromEntries(args.slice(1).map(readPair).map(readQuota));
    const host = client();
    const bytes = new TextEncoder().encode(JSON.stringify({ quotas }));
    const target = `/v1/namespaces/${encodeURIComponent(name)}`;
    const answer = await host.send("PUT", target, { type: "application/json", bytes });
    output.value(await readJson(host.url, answer, namespace));
    output.line(`${answer.statusCode === 201 ? "Made" : "Changed"} ${terminalLine(name)}`);
    return 0;
  },
};

const list: CommandSpec = {
  name: "list",
  args: "",
  summary: "list the namespaces with what they use of their quotas",
  examples: ["mayfly namespace list"],
  options: [],
  usesHost: true,
  async run(_args, { client, output }) {
    const host = client();
    const { namespaces } = await readJson(host.url, await host.send("GET", "/v1/namespaces"), namespaceList);
    output.value(namespaces);
    const rows = namespaces.map(({ name, quotas, use }) => [
      name,
      ...quotaNames.map((quota) => `${use[quota] ?? "-"}/${quotas[quota] ?? "-"}`),
    ]);
    for (const line of formatTable(["NAMESPACE", ...quotaNames], rows)) output.line(line);
    return 0;
  },
};

const remove: CommandSpec = {
  name: "remove",
  args: "<namespace>",
  summary: "remove a namespace that is empty, with its tokens",
  examples: ["mayfly namespace remove team"],
  options: [],
  usesHost: true,
  async run(args, { client, output }) {
    const name = requiredArgument(args, 0);
    (await client().send("DELETE", `/v1/namespaces/${encodeURIComponent(name)}`)).resume();
    output.value({ removed: name });
    output.line(`Removed ${terminalLine(name)}`);
    return 0;
  },
};

export const namespaceCommands: CommandGroup = {
  name: "namespace",
  summary: "make namespaces, give them quotas, and remove them",
  examples: ["mayfly namespace set team functions=20", "mayfly namespace list"],
  commands: [set, list, remove],
};

function readQuota([key, value]: readonly [string, string]): [string, number] {
  if (!quotaNames.some((name) => name === key)) {
    throw new WrongUsage(`Unknown quota ${JSON.stringify(key)}, known are ${quotaNames.join(", ")}`);
  }
  if (/^\d{1,15}$/.test(value)) return [key, Number(value)];
  throw new WrongUsage(`${key} is ${JSON.stringify(value)}, want a whole number`);
}

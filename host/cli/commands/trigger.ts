// `mayfly trigger …`: what starts a function besides HTTP.

import { z } from "zod";
import { readFunctionName, readPair } from "../arguments.ts";
import { type CommandGroup, type CommandSpec, requiredArgument } from "../command.ts";
import { WrongUsage } from "../failure.ts";
import { readAnswer, readJson } from "../host-answer.ts";
import { formatTable } from "../output.ts";
import { terminalLine } from "../terminal-text.ts";

const trigger = z.looseObject({ id: z.string(), kind: z.string() });
const triggerList = z.looseObject({ triggers: z.array(trigger) });

/** The setting that says what a trigger listens to, and the kind that has it. */
const kinds = [
  ["topic", "topic"],
  ["bucket", "blob"],
  ["store", "kv"],
  ["cron", "schedule"],
] as const;

const add: CommandSpec = {
  name: "add",
  args: "<function> <trigger> <settings...>",
  summary: "add a trigger to a function, or replace the one of that name",
  examples: [
    "mayfly trigger add audit on-orders topic=orders",
    "mayfly trigger add thumbnail on-photos bucket=photos prefix=in/ on=created",
    "mayfly trigger add audit on-links store=links on=set,deleted values=true",
    'mayfly trigger add report nightly cron="30 2 * * *" timeZone=Europe/Zurich',
    "mayfly trigger add audit on-orders topic=orders ordered=true attemptsMax=10",
  ],
  notes:
    "topic=NAME, bucket=NAME, store=NAME or cron=EXPRESSION says what it listens to. Further settings:\n" +
    "on prefix suffix values ordered timeZone missed path concurrency attemptsMax backoffMs backoffMaxMs\n" +
    "maxAgeMs paused (docs/events.md).",
  options: [],
  usesHost: true,
  async run(args, { client, output }) {
    const name = readFunctionName(requiredArgument(args, 0));
    const id = requiredArgument(args, 1);
    const pairs = args.slice(2).map(readPair);
    const settings = Object.fromEntries(pairs.map(([key, text]) => [key, settingOf(key, text)]));
    const [, kind] = kinds.find(([key]) => key in settings) ?? [];
    if (kind === undefined) {
      throw new WrongUsage(
        "Nothing to listen to, want topic=NAME, bucket=NAME, store=NAME or cron=EXPRESSION",
      );
    }
    const host = client();
    const bytes = new TextEncoder().encode(JSON.stringify({ kind, ...settings }));
    const target = `/v1/functions/${name}/triggers/${encodeURIComponent(id)}`;
    const answer = await host.send("PUT", target, { type: "application/json", bytes });
    output.value(await readAnswer(host.url, answer));
    output.line(`${answer.statusCode === 201 ? "Added" : "Replaced"} ${terminalLine(id)} of ${name}`);
    return 0;
  },
};

const list: CommandSpec = {
  name: "list",
  args: "<function>",
  summary: "list the triggers of a function",
  examples: ["mayfly trigger list audit"],
  options: [],
  usesHost: true,
  async run(args, { client, output }) {
    const name = readFunctionName(requiredArgument(args, 0));
    const host = client();
    const { triggers } = await readJson(
      host.url,
      await host.send("GET", `/v1/functions/${name}/triggers`),
      triggerList,
    );
    output.value(triggers);
    const rows = triggers.map((each) => [
      terminalLine(each.id),
      terminalLine(each.kind),
      terminalLine(String(kinds.map(([key]) => each[key]).find((source) => source !== undefined) ?? "")),
      each["paused"] === true ? "paused" : "",
    ]);
    for (const line of formatTable(["TRIGGER", "KIND", "LISTENS TO", ""], rows)) output.line(line.trimEnd());
    return 0;
  },
};

const remove: CommandSpec = {
  name: "remove",
  args: "<function> <trigger>",
  summary: "remove a trigger of a function",
  examples: ["mayfly trigger remove audit on-orders"],
  options: [],
  usesHost: true,
  async run(args, { client, output }) {
    const name = readFunctionName(requiredArgument(args, 0));
    const id = requiredArgument(args, 1);
    (await client().send("DELETE", `/v1/functions/${name}/triggers/${encodeURIComponent(id)}`)).resume();
    output.value({ removed: id, function: name });
    output.line(`Removed ${terminalLine(id)} of ${name}`);
    return 0;
  },
};

export const triggerCommands: CommandGroup = {
  name: "trigger",
  summary: "start functions by events: topics, changes, schedules",
  examples: ["mayfly trigger add audit on-orders topic=orders", "mayfly trigger list audit"],
  commands: [add, list, remove],
};

/** Numbers and truth values are such; whatever else a key may be is text. */
function settingOf(key: string, text: string): unknown {
  if (/(Ms|Max|concurrency)$/.test(key) && /^\d+$/.test(text)) return Number(text);
  if (key === "on") return text.split(",");
  if (["ordered", "paused", "values"].includes(key))
    return text === "true" ? true : text === "false" ? false : text;
  return text;
}

// `mayfly trigger …`: what starts a function besides HTTP.

import { z } from "zod";
import { readFunctionName, readPair } from "../arguments.ts";
import { type CommandGroup, type CommandSpec, requiredArgument } from "../command.ts";
import { WrongUsage } from "../failure.ts";
import { readAnswer, readJson } from "../host-answer.ts";
import { readRequestBody } from "../invoke-request.ts";
import { formatTable } from "../output.ts";
import { terminalLine } from "../terminal-text.ts";

const trigger = z.looseObject({
  id: z.string(),
  kind: z.string(),
  /** Of a database, without user and password. */
  database: z.string().optional(),
  state: z.looseObject({ status: z.string() }).optional(),
});
const triggerList = z.looseObject({ triggers: z.array(trigger) });

/** The setting that says what a trigger listens to, and the kind that has it. */
const kinds = [
  ["topic", "topic"],
  ["bucket", "blob"],
  ["store", "kv"],
  ["cron", "schedule"],
  ["postgres", "postgres"],
] as const;
const wanted = "topic=NAME, bucket=NAME, store=NAME, cron=EXPRESSION or postgres=URL";

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
    "mayfly trigger add audit on-rows postgres=@database-url tables=public.orders,public.items",
  ],
  notes:
    `${wanted} says what it listens to; the URL\n` +
    "of a database is a secret: @FILE reads it from a file, @- from standard input. Further settings:\n" +
    "on prefix suffix values tables publication ordered timeZone missed path concurrency attemptsMax\n" +
    "backoffMs backoffMaxMs maxAgeMs paused (docs/events.md).",
  options: [],
  usesHost: true,
  async run(args, { client, io, output }) {
    const name = readFunctionName(requiredArgument(args, 0));
    const id = requiredArgument(args, 1);
    const pairs = args.slice(2).map(readPair);
    let settings: Record<string, unknown> = Object.fromEntries(
      pairs.map(([key, text]) => [key, settingOf(key, text)]),
    );
    const [, kind] = kinds.find(([key]) => key in settings) ?? [];
    if (kind === undefined) {
      throw new WrongUsage(`Nothing to listen to, want ${wanted}`);
    }
    if (kind === "postgres") {
      const { postgres, ...others } = settings;
      const url = Buffer.from(await readRequestBody(String(postgres), io))
        .toString("utf8")
        .trim();
      settings = { ...others, url };
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
      terminalLine(listensTo(each)),
      each["paused"] === true ? "paused" : (each.state?.status ?? ""),
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

function listensTo(each: z.infer<typeof trigger>): string {
  return String(
    each.database ?? kinds.map(([key]) => each[key]).find((source) => source !== undefined) ?? "",
  );
}

/** Numbers and truth values are such; whatever else a key may be is text. */
function settingOf(key: string, text: string): unknown {
  if (/(Ms|Max|concurrency)$/.test(key) && /^\d+$/.test(text)) return Number(text);
  if (key === "on" || key === "tables") return text.split(",");
  if (["ordered", "paused", "values"].includes(key))
    return text === "true" ? true : text === "false" ? false : text;
  return text;
}

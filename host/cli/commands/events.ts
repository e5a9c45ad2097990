// `mayfly publish` and `mayfly events …`: events into topics, and what became of them.

import { randomUUID } from "node:crypto";
import { z } from "zod";
import { type CommandGroup, type CommandSpec, requiredArgument, textOption } from "../command.ts";
import { WrongUsage } from "../failure.ts";
import { readJson } from "../host-answer.ts";
import { readRequestBody } from "../invoke-request.ts";
import { formatTable } from "../output.ts";
import { terminalBlock, terminalLine } from "../terminal-text.ts";

const published = z.looseObject({ ids: z.array(z.string()), deliveries: z.number() });
const delivery = z.looseObject({
  id: z.number(),
  function: z.string(),
  trigger: z.string(),
  state: z.string(),
  attempts: z.number(),
  attributes: z.record(z.string(), z.string()),
  error: z.looseObject({ code: z.string(), message: z.string(), lines: z.array(z.string()) }).nullable(),
});
const eventPage = z.looseObject({ events: z.array(delivery), cursor: z.string().nullable() });
const redriven = z.looseObject({ redriven: z.number() });

export const publishCommand: CommandSpec = {
  name: "publish",
  args: "<topic>",
  summary: "publish an event to a topic",
  examples: [
    `mayfly publish orders -d '{"order":7}' --type shop.order.placed`,
    "mayfly publish pictures -d @picture.png --type camera.picture.taken --content-type image/png",
  ],
  options: [
    { flags: "-d, --data <data>", meaning: "what it carries; @FILE is a file's bytes, @- standard input" },
    { flags: "--type <type>", meaning: "what has happened, default mayfly.published" },
    { flags: "--subject <text>", meaning: "what it happened to" },
    { flags: "--source <uri>", meaning: "where it comes from, default /cli" },
    { flags: "--id <id>", meaning: "its id, default a random one" },
    { flags: "--content-type <type>", meaning: "the media type of the data, default application/json" },
  ],
  usesHost: true,
  async run(args, { client, io, options, output }) {
    const topic = requiredArgument(args, 0);
    const data = textOption(options, "data");
    const bytes = data === undefined ? new Uint8Array(0) : await readRequestBody(data, io);
    const subject = textOption(options, "subject");
    const headers: Record<string, string> = {
      "ce-specversion": "1.0",
      "ce-id": encode(textOption(options, "id") ?? randomUUID()),
      "ce-source": encode(textOption(options, "source") ?? "/cli"),
      "ce-type": encode(textOption(options, "type") ?? "mayfly.published"),
      ...(subject === undefined ? {} : { "ce-subject": encode(subject) }),
    };
    const type = textOption(options, "contentType") ?? "application/json";
    const host = client();
    const target = `/v1/topics/${encodeURIComponent(topic)}`;
    const answer = await host.send("POST", target, { type, bytes }, { headers });
    const { ids, deliveries } = await readJson(host.url, answer, published);
    output.value({ ids, deliveries });
    const whom = deliveries === 1 ? "1 function" : `${deliveries} functions`;
    output.line(`Published ${terminalLine(ids.join(" "))} for ${whom}`);
    return 0;
  },
};

const list: CommandSpec = {
  name: "list",
  args: "",
  summary: "list events that wait, run or were given up",
  examples: ["mayfly events list --state dead", "mayfly events list --function audit"],
  options: [
    { flags: "--state <state>", meaning: "ready, leased (an attempt runs) or dead" },
    { flags: "--function <name>", meaning: "of one function" },
  ],
  usesHost: true,
  async run(_args, { client, options, output }) {
    const query = new URLSearchParams({ limit: "1000" });
    for (const name of ["state", "function"]) {
      const value = textOption(options, name);
      if (value !== undefined) query.set(name, value);
    }
    const host = client();
    const { events, cursor } = await readJson(
      host.url,
      await host.send("GET", `/v1/events?${query}`),
      eventPage,
    );
    output.value(events);
    const rows = events.map((each) => [
      String(each.id),
      each.state,
      String(each.attempts),
      `${each.function}/${each.trigger}`,
      terminalLine(each.attributes["type"] ?? ""),
      terminalLine(each.error?.message ?? ""),
    ]);
    const head = ["ID", "STATE", "ATTEMPTS", "FUNCTION/TRIGGER", "TYPE", "ERROR"];
    for (const line of formatTable(head, rows)) output.line(line.trimEnd());
    if (cursor !== null) output.note("There are more; --state and --function narrow the list");
    return 0;
  },
};

const show: CommandSpec = {
  name: "show",
  args: "<id>",
  summary: "show an event with its attributes, its error and the log lines of its last attempt",
  examples: ["mayfly events show 7"],
  options: [],
  usesHost: true,
  async run(args, { client, output }) {
    const host = client();
    const answer = await host.send("GET", `/v1/events/${readId(requiredArgument(args, 0))}`);
    const found = await readJson(host.url, answer, delivery);
    output.value(found);
    const { id, state, attempts, attributes, error } = found;
    output.line(`${id}: ${state}, ${attempts} attempts, for ${found.function}/${found.trigger}`);
    for (const [name, value] of Object.entries(attributes))
      output.line(`${terminalLine(name)}: ${terminalLine(value)}`);
    if (error !== null) output.line(`${terminalLine(error.code)}: ${terminalBlock(error.message)}`);
    for (const line of error?.lines ?? []) output.line(`  ${terminalLine(line)}`);
    return 0;
  },
};

const redrive: CommandSpec = {
  name: "redrive",
  args: "[id]",
  summary: "deliver a dead letter anew, or all of a function",
  examples: ["mayfly events redrive 7", "mayfly events redrive --function audit"],
  options: [{ flags: "--function <name>", meaning: "all of one function" }],
  usesHost: true,
  async run(args, { client, options, output }) {
    const name = textOption(options, "function");
    if ((args[0] === undefined) === (name === undefined)) {
      throw new WrongUsage("Nothing to redrive, want an id or --function NAME");
    }
    const target =
      name === undefined
        ? `/v1/events/${readId(requiredArgument(args, 0))}/redrive`
        : `/v1/events/redrive?${new URLSearchParams({ function: name })}`;
    const host = client();
    const { redriven: count } = await readJson(host.url, await host.send("POST", target), redriven);
    output.value({ redriven: count });
    output.line(`${count} to be delivered anew`);
    return 0;
  },
};

const drop: CommandSpec = {
  name: "drop",
  args: "<id>",
  summary: "drop an event",
  examples: ["mayfly events drop 7"],
  options: [],
  usesHost: true,
  async run(args, { client, output }) {
    const id = readId(requiredArgument(args, 0));
    (await client().send("DELETE", `/v1/events/${id}`)).resume();
    output.value({ dropped: Number(id) });
    output.line(`Dropped ${id}`);
    return 0;
  },
};

export const eventsCommands: CommandGroup = {
  name: "events",
  summary: "look at events that wait or were given up, deliver them anew or drop them",
  examples: ["mayfly events list --state dead", "mayfly events redrive 7"],
  commands: [list, show, redrive, drop],
};

function readId(text: string): string {
  if (/^[1-9]\d{0,14}$/.test(text)) return text;
  throw new WrongUsage(`Cannot read ${JSON.stringify(text)}, want an event's number`);
}

/** As a header of CloudEvents has it: UTF-8, what is not visible ASCII as `%XX`. */
function encode(text: string): string {
  return text.replace(/[^\x21\x23\x24\x26-\x7e]+/g, encodeURIComponent);
}

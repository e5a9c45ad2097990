// `mayfly kv …`: looks into the key-value stores of a host, and changes them.

import { text } from "node:stream/consumers";
import { z } from "zod";
import { type CommandGroup, type CommandSpec, flagOption, requiredArgument, textOption } from "../command.ts";
import { WrongUsage } from "../failure.ts";
import { readAnswerBytes, readJson } from "../host-answer.ts";
import { readRequestBody } from "../invoke-request.ts";
import { formatTable } from "../output.ts";
import { terminalLine } from "../terminal-text.ts";

const storeList = z.looseObject({
  stores: z.array(z.looseObject({ store: z.string(), keys: z.number(), bytes: z.number() })),
});
const keyPage = z.looseObject({
  keys: z.array(z.looseObject({ key: z.string(), bytes: z.number(), expiresAt: z.string().nullable() })),
  cursor: z.string().nullable(),
});
const changed = z.looseObject({ version: z.number() });
const summed = z.looseObject({ value: z.string() });

const address = (store: string, key: string): string =>
  `/v1/kv/${encodeURIComponent(store)}/${encodeURIComponent(key)}`;

const list: CommandSpec = {
  name: "list",
  args: "[store] [prefix]",
  summary: "list the stores, or the keys of one",
  examples: ["mayfly kv list", "mayfly kv list links", "mayfly kv list links user/"],
  options: [],
  usesHost: true,
  async run([store, prefix = ""], { client, output }) {
    const host = client();
    if (store === undefined) {
      const { stores } = await readJson(host.url, await host.send("GET", "/v1/kv"), storeList);
      output.value(stores);
      const rows = stores.map((row) => [row.store, String(row.keys), String(row.bytes)]);
      for (const line of formatTable(["STORE", "KEYS", "BYTES"], rows)) output.line(line);
      return 0;
    }
    const keys: z.infer<typeof keyPage>["keys"] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const query = new URLSearchParams({ prefix, cursor, limit: "1000" });
      const target = `/v1/kv/${encodeURIComponent(store)}?${query}`;
      const page: z.infer<typeof keyPage> = await readJson(host.url, await host.send("GET", target), keyPage);
      keys.push(...page.keys);
      cursor = page.cursor;
    }
    output.value(keys);
    const rows = keys.map((row) => [terminalLine(row.key), String(row.bytes), row.expiresAt ?? "-"]);
    for (const line of formatTable(["KEY", "BYTES", "EXPIRES"], rows)) output.line(line);
    return 0;
  },
};

const get: CommandSpec = {
  name: "get",
  args: "<store> <key>",
  summary: "print the value of a key",
  examples: ["mayfly kv get links k3x9wq"],
  options: [],
  usesHost: true,
  async run(args, { client, io, output }) {
    const target = address(requiredArgument(args, 0), requiredArgument(args, 1));
    const host = client();
    const value = await readAnswerBytes(host.url, await host.send("GET", target));
    output.value({ value: value.toString() });
    if (!output.json) io.stdout.write(value);
    return 0;
  },
};

const set: CommandSpec = {
  name: "set",
  args: "<store> <key> [value]",
  summary: "set the value of a key",
  examples: [
    "mayfly kv set links k3x9wq https://example.com/",
    "mayfly kv set icons home @home.png",
    "mayfly kv set sessions 7f3a Ada --ttl 3600",
  ],
  notes: "@FILE is a file's bytes. Without a value standard input is read.",
  options: [
    { flags: "--ttl <seconds>", meaning: "after which the key is gone" },
    { flags: "--new", meaning: "only where the key is not there yet" },
  ],
  usesHost: true,
  async run(args, { client, io, options, output }) {
    const ttl = textOption(options, "ttl");
    if (ttl !== undefined && !(Number(ttl) > 0)) throw new WrongUsage(`--ttl is ${ttl}, want seconds`);
    const target = address(requiredArgument(args, 0), requiredArgument(args, 1));
    const bytes =
      args[2] === undefined ? Buffer.from(await text(io.stdin)) : await readRequestBody(args[2], io);
    const host = client();
    const answer = await host.send(
      "PUT",
      ttl === undefined ? target : `${target}?ttl=${ttl}`,
      { type: "application/octet-stream", bytes },
      flagOption(options, "new") ? { headers: { "if-none-match": "*" } } : {},
    );
    const { version } = await readJson(host.url, answer, changed);
    output.value({ version });
    output.line(`Set, version ${version}`);
    return 0;
  },
};

const remove: CommandSpec = {
  name: "delete",
  args: "<store> <key>",
  summary: "delete a key",
  examples: ["mayfly kv delete links k3x9wq"],
  options: [],
  usesHost: true,
  async run(args, { client, output }) {
    const key = requiredArgument(args, 1);
    (await client().send("DELETE", address(requiredArgument(args, 0), key))).resume();
    output.value({ deleted: key });
    output.line(`Deleted ${terminalLine(key)}`);
    return 0;
  },
};

const increment: CommandSpec = {
  name: "increment",
  args: "<store> <key> [by]",
  summary: "add to the number that is the value of a key, 1 unless told otherwise",
  examples: ["mayfly kv increment visits total", "mayfly kv increment visits total 10"],
  options: [],
  usesHost: true,
  async run(args, { client, output }) {
    const by = args[2] ?? "1";
    if (!/^-?\d{1,19}$/.test(by))
      throw new WrongUsage(`Cannot add ${JSON.stringify(by)}, want a whole number`);
    const target = `${address(requiredArgument(args, 0), requiredArgument(args, 1))}?increment=${by}`;
    const host = client();
    const { value } = await readJson(host.url, await host.send("POST", target), summed);
    output.value({ value });
    output.line(value);
    return 0;
  },
};

export const kvCommands: CommandGroup = {
  name: "kv",
  summary: "look into the key-value stores, and change them",
  examples: ["mayfly kv list", "mayfly kv get links k3x9wq"],
  commands: [list, get, set, increment, remove],
};

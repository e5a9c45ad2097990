// `mayfly blob …`: looks into the blob buckets of a host, and changes them. Bytes are streamed both ways.

import { createReadStream, createWriteStream } from "node:fs";
import { rename, rm, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { type CommandGroup, type CommandSpec, listOption, requiredArgument, textOption } from "../command.ts";
import { CommandFailure, messageOf, WrongUsage } from "../failure.ts";
import { readJson } from "../host-answer.ts";
import { formatTable } from "../output.ts";
import { terminalLine } from "../terminal-text.ts";

const bucketList = z.looseObject({
  buckets: z.array(z.looseObject({ bucket: z.string(), blobs: z.number(), bytes: z.number() })),
});
const listed = z.looseObject({
  key: z.string(),
  bytes: z.number(),
  contentType: z.string(),
  changedAt: z.string(),
});
const blobPage = z.looseObject({ blobs: z.array(listed), cursor: z.string().nullable() });
const putAnswer = z.looseObject({ key: z.string(), bytes: z.number(), digest: z.string() });
const signed = z.looseObject({ url: z.string(), expiresAt: z.string() });

const address = (bucket: string, key: string): string =>
  `/v1/blobs/${encodeURIComponent(bucket)}/${encodeURIComponent(key)}`;

const list: CommandSpec = {
  name: "list",
  args: "[bucket] [prefix]",
  summary: "list the buckets, or the blobs of one",
  examples: ["mayfly blob list", "mayfly blob list photos", "mayfly blob list photos 2026/"],
  options: [],
  usesHost: true,
  async run([bucket, prefix = ""], { client, output }) {
    const host = client();
    if (bucket === undefined) {
      const { buckets } = await readJson(host.url, await host.send("GET", "/v1/blobs"), bucketList);
      output.value(buckets);
      const rows = buckets.map((row) => [row.bucket, String(row.blobs), String(row.bytes)]);
      for (const line of formatTable(["BUCKET", "BLOBS", "BYTES"], rows)) output.line(line);
      return 0;
    }
    const blobs: z.infer<typeof listed>[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const query = new URLSearchParams({ prefix, cursor, limit: "1000" });
      const target = `/v1/blobs/${encodeURIComponent(bucket)}?${query}`;
      const page: z.infer<typeof blobPage> = await readJson(
        host.url,
        await host.send("GET", target),
        blobPage,
      );
      blobs.push(...page.blobs);
      cursor = page.cursor;
    }
    output.value(blobs);
    const rows = blobs.map((row) => [
      terminalLine(row.key),
      String(row.bytes),
      terminalLine(row.contentType),
      terminalLine(row.changedAt),
    ]);
    for (const line of formatTable(["KEY", "BYTES", "TYPE", "CHANGED"], rows)) output.line(line);
    return 0;
  },
};

const get: CommandSpec = {
  name: "get",
  args: "<bucket> <key>",
  summary: "print the bytes of a blob, or write them to a file",
  examples: ["mayfly blob get reports 2026-11.csv", "mayfly blob get photos cat.jpg -o cat.jpg"],
  options: [{ flags: "-o, --output <file>", meaning: "write them there instead" }],
  usesHost: true,
  async run(args, { client, io, options, output }) {
    const key = requiredArgument(args, 1);
    const answer = await client().send("GET", address(requiredArgument(args, 0), key));
    const file = textOption(options, "output");
    if (file === undefined) {
      if (output.json) throw new WrongUsage("--json wants -o FILE: the bytes are no JSON");
      for await (const chunk of answer) io.stdout.write(chunk);
      return 0;
    }
    const path = resolve(io.cwd, file);
    const partial = `${path}.part`;
    try {
      await pipeline(answer, createWriteStream(partial));
      await rename(partial, path);
    } catch (error) {
      await rm(partial, { force: true });
      throw new CommandFailure("write_failed", `Cannot write ${file}: ${messageOf(error)}`, { cause: error });
    }
    output.value({ key, file });
    output.line(`Wrote ${file}`);
    return 0;
  },
};

const put: CommandSpec = {
  name: "put",
  args: "<bucket> <key> <file>",
  summary: "store a file as a blob",
  examples: ["mayfly blob put photos cat.jpg ./cat.jpg --type image/jpeg"],
  options: [
    { flags: "--type <type>", meaning: "its content type, application/octet-stream unless told otherwise" },
    { flags: "--meta <name=value>", meaning: "metadata", repeatable: true },
    { flags: "--new", meaning: "only where there is no such blob yet" },
  ],
  usesHost: true,
  async run(args, { client, io, options, output }) {
    const target = address(requiredArgument(args, 0), requiredArgument(args, 1));
    const file = requiredArgument(args, 2);
    const headers: Record<string, string> = options["new"] === true ? { "if-none-match": "*" } : {};
    for (const pair of listOption(options, "meta")) {
      const [, name, value] = /^([A-Za-z0-9-]{1,64})=([\x20-\x7e]*)$/.exec(pair) ?? [];
      if (name === undefined || value === undefined) {
        throw new WrongUsage(`Cannot read ${JSON.stringify(pair)}, want NAME=VALUE`);
      }
      headers[`x-mayfly-meta-${name}`] = value;
    }
    const bytes = await openFile(resolve(io.cwd, file), file);
    const host = client();
    const type = textOption(options, "type") ?? "application/octet-stream";
    const answer = await host.send("PUT", target, { type, bytes }, { headers });
    const stored = await readJson(host.url, answer, putAnswer);
    output.value(stored);
    output.line(`Stored ${terminalLine(stored.key)}, ${stored.bytes} bytes`);
    return 0;
  },
};

const remove: CommandSpec = {
  name: "delete",
  args: "<bucket> <key>",
  summary: "delete a blob",
  examples: ["mayfly blob delete photos cat.jpg"],
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

const sign: CommandSpec = {
  name: "sign",
  args: "<bucket> <key>",
  summary: "print a URL that reads or writes a blob without a token, until it expires",
  examples: ["mayfly blob sign photos cat.jpg", "mayfly blob sign photos new.jpg --method PUT --expires 600"],
  options: [
    { flags: "--method <method>", meaning: "GET, PUT, or POST for a form; GET unless told otherwise" },
    { flags: "--expires <seconds>", meaning: "900 unless told otherwise" },
  ],
  usesHost: true,
  async run(args, { client, options, output }) {
    const expires = textOption(options, "expires") ?? "900";
    if (!(Number(expires) > 0)) throw new WrongUsage(`--expires is ${expires}, want seconds`);
    const ask = {
      method: (textOption(options, "method") ?? "GET").toUpperCase(),
      bucket: requiredArgument(args, 0),
      key: requiredArgument(args, 1),
      expiresInS: Number(expires),
    };
    const host = client();
    const bytes = new TextEncoder().encode(JSON.stringify(ask));
    const answer = await host.send("POST", "/v1/links", { type: "application/json", bytes });
    const link = await readJson(host.url, answer, signed);
    output.value(link);
    output.line(terminalLine(link.url));
    return 0;
  },
};

export const blobCommands: CommandGroup = {
  name: "blob",
  summary: "look into the blob buckets, and change them",
  examples: ["mayfly blob put photos cat.jpg ./cat.jpg", "mayfly blob get photos cat.jpg -o cat.jpg"],
  commands: [list, get, put, remove, sign],
};

async function openFile(path: string, shown: string) {
  try {
    const found = await stat(path);
    if (!found.isFile()) throw new Error("it is no file");
    return { stream: createReadStream(path), length: found.size };
  } catch (error) {
    throw new CommandFailure("file_unreadable", `Cannot read ${shown}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

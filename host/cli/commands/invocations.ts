// `mayfly invocations …`: what has become of asynchronous calls, and of calls of every kind that ended lately.

import { setTimeout as pause } from "node:timers/promises";
import { z } from "zod";
import type { HostClient } from "../client.ts";
import { type CommandGroup, type CommandSpec, requiredArgument, textOption } from "../command.ts";
import { CommandFailure, WrongUsage } from "../failure.ts";
import { readAnswerBytes, readJson } from "../host-answer.ts";
import { formatTable, type Output } from "../output.ts";
import { terminalBlock, terminalLine } from "../terminal-text.ts";

const invocation = z.looseObject({
  id: z.string(),
  function: z.string(),
  state: z.string(),
  attempts: z.number(),
  createdAt: z.string().nullable(),
  error: z.looseObject({ code: z.string(), message: z.string(), lines: z.array(z.string()) }).nullable(),
});
const page = z.looseObject({ invocations: z.array(invocation), cursor: z.string().nullable() });

type Invocation = z.infer<typeof invocation>;

const recentCall = z.looseObject({
  id: z.string(),
  kind: z.string(),
  function: z.string(),
  version: z.number().nullable(),
  outcome: z.string(),
  status: z.number(),
  endedAt: z.string().nullable(),
  wallMs: z.number(),
  cpuMs: z.number().nullable(),
});
const recentPage = z.looseObject({ invocations: z.array(recentCall), skipped: z.number() });
/** Further ones are older; programs page by themselves. */
const recentShownMax = 1_000;

const waitStepMs = 200;

const address = (id: string): string => `/v1/invocations/${encodeURIComponent(id)}`;

async function read(host: HostClient, id: string): Promise<Invocation> {
  return readJson(host.url, await host.send("GET", address(id)), invocation);
}

const list: CommandSpec = {
  name: "list",
  args: "[function]",
  summary: "list asynchronous calls, of all functions or of one; with --outcome calls that ended lately",
  examples: [
    "mayfly invocations list",
    "mayfly invocations list hello --state failed",
    "mayfly invocations list --outcome failed",
  ],
  options: [
    { flags: "--state <state>", meaning: "of asynchronous calls: queued, running, succeeded or failed" },
    { flags: "--outcome <outcome>", meaning: "of calls that ended lately: any, failed, ok or an error code" },
  ],
  usesHost: true,
  async run([name], { client, options, output }) {
    const host = client();
    const query = new URLSearchParams({ limit: "1000" });
    if (name !== undefined) query.set("function", name);
    const state = textOption(options, "state");
    const outcome = textOption(options, "outcome");
    if (outcome !== undefined) {
      if (state !== undefined) throw new WrongUsage("--state and --outcome exclude each other");
      return listRecent(host, output, name, outcome);
    }
    if (state !== undefined) query.set("state", state);
    const all: Invocation[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      if (cursor !== "") query.set("cursor", cursor);
      const answer = await host.send("GET", `/v1/invocations?${query}`);
      const found: z.infer<typeof page> = await readJson(host.url, answer, page);
      all.push(...found.invocations);
      cursor = found.cursor;
    }
    output.value(all);
    const rows = all.map((each) => [
      terminalLine(each.id),
      terminalLine(each.function),
      terminalLine(each.state),
      String(each.attempts),
      terminalLine(each.createdAt ?? "-"),
    ]);
    for (const line of formatTable(["ID", "FUNCTION", "STATE", "ATTEMPTS", "CREATED"], rows))
      output.line(line);
    return 0;
  },
};

async function listRecent(
  host: HostClient,
  output: Output,
  name: string | undefined,
  outcome: string,
): Promise<number> {
  const query = new URLSearchParams({ outcome, limit: String(recentShownMax) });
  if (name !== undefined) query.set("function", name);
  const answer = await host.send("GET", `/v1/invocations?${query}`);
  const { invocations, skipped } = await readJson(host.url, answer, recentPage);
  output.value(invocations);
  const rows = invocations.map((each) => [
    terminalLine(each.endedAt ?? "-"),
    terminalLine(each.id),
    terminalLine(each.kind),
    terminalLine(each.version === null ? each.function : `${each.function}@${each.version}`),
    terminalLine(each.outcome),
    each.status === 0 ? "-" : String(each.status),
    `${each.wallMs.toFixed(2)} ms`,
    each.cpuMs === null ? "-" : `${each.cpuMs.toFixed(2)} ms`,
  ]);
  const head = ["ENDED", "ID", "KIND", "FUNCTION", "OUTCOME", "STATUS", "TIME", "CPU"];
  for (const line of formatTable(head, rows)) output.line(line);
  if (skipped > 0) output.note(`${skipped} calls that went well, or were of no function, were not kept`);
  return 0;
}

const show: CommandSpec = {
  name: "show",
  args: "<id>",
  summary: "print the state of an asynchronous call, and its answer once there is one",
  examples: ["mayfly invocations show 5f0c4c9e-…", "mayfly invocations show 5f0c4c9e-… --wait 30"],
  options: [{ flags: "--wait <seconds>", meaning: "until it has ended, at most so long" }],
  usesHost: true,
  async run(args, { client, io, options, output }) {
    const id = requiredArgument(args, 0);
    const wait = Number(textOption(options, "wait") ?? "0");
    if (!(wait >= 0)) throw new WrongUsage(`--wait is ${textOption(options, "wait")}, want seconds`);
    const host = client();
    const endMs = performance.now() + wait * 1_000;
    let found = await read(host, id);
    while (["queued", "running"].includes(found.state) && performance.now() < endMs) {
      await pause(waitStepMs);
      found = await read(host, id);
    }
    output.value(found);
    if (found.state === "failed") {
      const { code = "unknown", message = "", lines = [] } = found.error ?? {};
      for (const line of lines) output.line(terminalBlock(line));
      throw new CommandFailure(code, `It failed after ${found.attempts} attempts: ${terminalBlock(message)}`);
    }
    if (found.state === "succeeded") {
      const answer = await readAnswerBytes(host.url, await host.send("GET", `${address(id)}/answer`));
      if (!output.json) io.stdout.write(answer);
    } else output.line(`${found.state}, ${found.attempts} attempts`);
    return 0;
  },
};

const remove: CommandSpec = {
  name: "remove",
  args: "<id>",
  summary: "remove an asynchronous call that does not run, made or not",
  examples: ["mayfly invocations remove 5f0c4c9e-…"],
  options: [],
  usesHost: true,
  async run(args, { client, output }) {
    const id = requiredArgument(args, 0);
    (await client().send("DELETE", address(id))).resume();
    output.value({ removed: id });
    output.line(`Removed ${terminalLine(id)}`);
    return 0;
  },
};

export const invocationCommands: CommandGroup = {
  name: "invocations",
  summary: "look at asynchronous calls, and remove them",
  examples: ["mayfly invocations list", "mayfly invocations show 5f0c4c9e-… --wait 30"],
  commands: [list, show, remove],
};

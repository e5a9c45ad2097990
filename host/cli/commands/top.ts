// `mayfly top`: what functions do just now, second by second, until Ctrl-C. On a terminal it has the screen for
// itself, and gives it back as it was, however it ends; with --json, or into a pipe, each second is one line
// or one table. The host keeps nothing between two looks.

import { stripVTControlCharacters } from "node:util";
import { z } from "zod";
import type { HostClient } from "../client.ts";
import { type CommandSpec, textOption } from "../command.ts";
import { WrongUsage } from "../failure.ts";
import { readJson } from "../host-answer.ts";
import type { CliIo } from "../io.ts";
import { formatBytes, formatTable } from "../output.ts";
import { terminalLine } from "../terminal-text.ts";

const errors = z.looseObject({
  caller: z.number(),
  guest: z.number(),
  host: z.number(),
  clientGone: z.number(),
});
const series = z.looseObject({
  calls: z.number(),
  callsPerSecond: z.number(),
  errors,
  p50Ms: z.number().nullable(),
  p99Ms: z.number().nullable(),
  cpuMs: z.number(),
  memoryBytes: z.number(),
});
const traffic = z.looseObject({
  from: z.string(),
  seconds: z.number(),
  host: z.looseObject({
    liveCalls: z.number(),
    waitingCalls: z.number(),
    threads: z.number(),
    guestBytes: z.number(),
  }),
  total: series,
  functions: z.array(z.looseObject({ ...series.shape, function: z.string() })),
});

type Traffic = z.infer<typeof traffic>;
type Series = z.infer<typeof series>;

const screen = {
  /** The alternate screen, without a cursor; and back. */
  enter: "\u001b[?1049h\u001b[?25l",
  leave: "\u001b[?25h\u001b[?1049l",
  home: "\u001b[H",
  /** To the end of the line, and of the screen. */
  clearLine: "\u001b[K",
  clearBelow: "\u001b[J",
};

const rowsDefault = 24;
const columnsDefault = 80;
/** Lines above and below the functions. */
const framed = 4;

export const topCommand: CommandSpec = {
  name: "top",
  args: "",
  summary: "show what functions do, second by second",
  examples: ["mayfly top", "mayfly top --interval 5 --json"],
  notes: "Ctrl-C ends it. Into a pipe it prints a table every second, with --json a line.",
  options: [
    { flags: "--interval <seconds>", meaning: "0.1 to 60; 1 unless given" },
    { flags: "--limit <n>", meaning: "functions, those with the most calls; 50 unless given" },
    { flags: "--count <n>", meaning: "end after so many looks" },
  ],
  usesHost: true,
  async run(_args, { client, io, options, output }) {
    const seconds = numberOf(textOption(options, "interval") ?? "1", "--interval", 0.1, 60);
    const limit = numberOf(textOption(options, "limit") ?? "50", "--limit", 1, 1_000);
    const count = numberOf(textOption(options, "count") ?? "1000000000", "--count", 1, 1_000_000_000);
    const host = client();
    const interruption = io.interruption();
    const look = (): Promise<Traffic | null> => watch(host, { seconds, limit, interruption });
    const isScreen = !output.json && io.stdout.isTTY === true;
    using _screen = isScreen ? takeScreen(io) : null;
    for (let looks = 0; looks < count; looks += 1) {
      const found = await look();
      if (found === null) return 0;
      output.value(found);
      if (isScreen) io.stdout.write(frame(picture(found), io));
      else for (const line of picture(found)) output.line(line);
    }
    return 0;
  },
};

/** What came within the next seconds; null when it was interrupted. */
async function watch(
  host: HostClient,
  { seconds, limit, interruption }: { seconds: number; limit: number; interruption: AbortSignal },
): Promise<Traffic | null> {
  try {
    const target = `/v1/traffic?seconds=${seconds}&limit=${limit}`;
    const answer = await host.send("GET", target, undefined, { signal: interruption });
    return await readJson(host.url, answer, traffic);
  } catch (error) {
    if (interruption.aborted) return null;
    throw error;
  }
}

/** Whatever is thrown, the terminal is as it was. */
function takeScreen(io: CliIo): Disposable {
  io.stdout.write(screen.enter);
  return { [Symbol.dispose]: () => void io.stdout.write(screen.leave) };
}

function picture({ host, total, functions, seconds }: Traffic): string[] {
  const head = ["FUNCTION", "CALLS/S", "ERRORS", "P50", "P99", "CPU", "MEMORY"];
  const rows = functions.map((each) => [terminalLine(each.function), ...cells(each, seconds)]);
  return [
    `${host.liveCalls} calls live, ${host.waitingCalls} waiting, ${host.threads} threads, ${formatBytes(host.guestBytes)} of guests' memory`,
    ...formatTable(head, [["all", ...cells(total, seconds)], ...rows]),
  ];
}

function cells(
  { callsPerSecond, errors: found, p50Ms, p99Ms, cpuMs, memoryBytes }: Series,
  seconds: number,
): string[] {
  return [
    callsPerSecond.toFixed(callsPerSecond < 10 ? 1 : 0),
    String(found.caller + found.guest + found.host),
    time(p50Ms),
    time(p99Ms),
    `${(cpuMs / seconds / 10).toFixed(1)} %`,
    formatBytes(memoryBytes),
  ];
}

/** As much of it as the terminal has room for. */
function frame(lines: readonly string[], { stdout }: CliIo): string {
  const { rows = rowsDefault, columns = columnsDefault } = stdout as { rows?: number; columns?: number };
  const shown = lines
    .slice(0, Math.max(framed, rows - 1))
    .map((line) => `${stripVTControlCharacters(line).slice(0, columns)}${screen.clearLine}\n`);
  return `${screen.home}${shown.join("")}${screen.clearBelow}`;
}

function time(ms: number | null): string {
  if (ms === null) return "-";
  return ms < 1_000 ? `${ms.toFixed(2)} ms` : `${(ms / 1_000).toFixed(2)} s`;
}

/** Throws WrongUsage. */
function numberOf(text: string, flag: string, min: number, max: number): number {
  const value = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && value >= min && value <= max) return value;
  throw new WrongUsage(`${flag} is ${text}, want a number from ${min} to ${max}`);
}

// The printing of every command: text or one JSON document on stdout, notes and errors on stderr,
// colours only where the stream is a terminal and NO_COLOR is not set. Commands never write to a
// stream by themselves, but for the raw body of `invoke`.

import { stripVTControlCharacters, styleText } from "node:util";
import { CommandFailure, WrongUsage } from "./failure.ts";
import type { CliIo, CliStream } from "./io.ts";

type Style = Parameters<typeof styleText>[0];

export type Output = {
  readonly json: boolean;
  /** Text for people; nothing with --json. */
  readonly line: (text: string) => void;
  /** The result of the command as one line of JSON; nothing without --json. */
  readonly value: (value: unknown) => void;
  /** Beside the result, on stderr, with --json too. */
  readonly note: (text: string) => void;
  /** Only on a terminal: what is being done just now; the next call replaces it. */
  readonly progress: (text: string) => void;
  readonly style: (style: Style, text: string) => string;
};

export function createOutput(io: CliIo, json: boolean): Output {
  let progressShown = false;
  const clearProgress = (): void => {
    if (progressShown) io.stderr.write("\r\u001b[K");
    progressShown = false;
  };
  return {
    json,
    line(text) {
      clearProgress();
      if (!json) io.stdout.write(`${text}\n`);
    },
    value(value) {
      clearProgress();
      if (json) io.stdout.write(`${JSON.stringify(value)}\n`);
    },
    note(text) {
      clearProgress();
      io.stderr.write(`${text}\n`);
    },
    progress(text) {
      clearProgress();
      if (json || io.stderr.isTTY !== true || text === "") return;
      io.stderr.write(styled(io, io.stderr, "dim", text));
      progressShown = true;
    },
    style: (style, text) => styled(io, io.stdout, style, text),
  };
}

/** What goes with a failure: how the command is called. */
export type UsageHint = { readonly usage: string; readonly example: string };

/** Writes a failure to stderr: text, or one line of JSON. */
export function writeFailure(io: CliIo, json: boolean, thrown: Error, hint: UsageHint | null): void {
  const usage = thrown instanceof WrongUsage ? hint : null;
  if (json) {
    const code = thrown instanceof CommandFailure ? thrown.code : usage === null ? "failed" : "wrong_usage";
    const known = thrown instanceof CommandFailure || thrown instanceof WrongUsage;
    const details = { ...(known ? thrown.details : {}), ...usage };
    io.stderr.write(`${JSON.stringify({ ...details, code, message: thrown.message })}\n`);
    return;
  }
  const [first = "", ...rest] = thrown.message.split("\n");
  io.stderr.write(`${[styled(io, io.stderr, "red", first), ...rest].join("\n")}\n`);
  if (usage === null) return;
  io.stderr.write(`Usage: ${usage.usage}\n`);
  if (usage.example !== "") io.stderr.write(`Example: ${usage.example}\n`);
}

function styled(io: CliIo, stream: CliStream, style: Style, text: string): string {
  // Asked here too: styleText looks at this process's environment, where FORCE_COLOR would put
  // colours into a pipe.
  if (stream.isTTY !== true || (io.env.NO_COLOR ?? "") !== "") return text;
  return styleText(style, text, { stream, validateStream: true });
}

/** Columns as wide as their widest cell; the last one is not padded. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => widthOf(row[column] ?? ""))));
  return all.map((row) =>
    row
      .map((cell, column) =>
        column === head.length - 1 ? cell : cell + " ".repeat((widths[column] ?? 0) - widthOf(cell)),
      )
      .join("  "),
  );
}

/** `1234` as `1.2 kB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1_000).toFixed(1)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** The digest's first 12 digits, enough to tell versions apart. */
export function shortDigest(digest: string): string {
  return digest.replace(/^(sha256:[0-9a-f]{12})[0-9a-f]*$/, "$1");
}

function widthOf(text: string): number {
  return stripVTControlCharacters(text).length;
}

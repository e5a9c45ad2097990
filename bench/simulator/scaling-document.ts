// The tables of docs/scaling.md are written by the commands that print them: each stands between two
// comments with its name, and `--write` puts what was just measured there. The words around are written by
// hand.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { print } from "../statistics.ts";

const file = join(import.meta.dirname, "../../docs/scaling.md");

export type Row = Readonly<Record<string, string | number>>;

/** Prints a table, and with `--write` puts it, and when and on what it was made, into the document. */
export function report(
  block: string,
  title: string,
  rows: readonly (Row & { server: string })[],
  first: string,
): void {
  print(title, rows);
  if (!process.argv.includes("--write")) return;
  const text = readFileSync(file, "utf8");
  writeFileSync(file, replaceBlock(text, block, `${title}:\n\n${markdownTable(rows, first)}`));
}

/** The text with what stands between the comments of a block replaced. Throws when there is no such block. */
export function replaceBlock(text: string, block: string, content: string): string {
  const [begin, end] = [`<!-- ${block} -->`, `<!-- /${block} -->`];
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from === -1 || to < from) throw new Error(`docs/scaling.md has no block "${block}"`);
  return `${text.slice(0, from + begin.length)}\n\n${content}\n\n${text.slice(to)}`;
}

/** A Markdown table with the column `server` first, under the name given. */
export function markdownTable(rows: readonly (Row & { server: string })[], first: string): string {
  const columns = Object.keys(rows[0] ?? {}).filter((column) => column !== "server");
  const cells = [
    [first, ...columns],
    ...rows.map((row) => [row.server, ...columns.map((name) => String(row[name]))]),
  ];
  const widths = [first, ...columns].map((_, index) =>
    Math.max(3, ...cells.map((row) => row[index]?.length ?? 0)),
  );
  const lineOf = (row: readonly string[]): string =>
    `| ${widths.map((width, index) => (row[index] ?? "").padEnd(width)).join(" | ")} |`;
  const [head = [], ...others] = cells.map(lineOf);
  return [head, lineOf(widths.map((width) => "-".repeat(width))), ...others].join("\n");
}

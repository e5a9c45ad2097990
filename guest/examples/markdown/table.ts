// Tables as GitHub has them: a row of headings, a row of dashes that may say how columns are
// aligned, then rows.

import { interrupts } from "./block-start";
import { Block } from "./blocks";
import { renderInline } from "./inline";
import { isBlank } from "./lines";

/** Whether a table begins at a line: the next one must be dashes for as many columns. */
export function isTable(lines: string[], at: i32): bool {
  if (at + 1 >= lines.length || lines[at].indexOf("|") < 0) return false;
  const marks = splitRow(lines[at + 1]);
  for (let i = 0; i < marks.length; i++) if (!isMark(marks[i])) return false;
  return marks.length === splitRow(lines[at]).length;
}

export function renderTable(lines: string[], at: i32): Block {
  const marks = splitRow(lines[at + 1]);
  const html: string[] = ["<table>\n<thead>\n", row(lines[at], "th", marks), "</thead>\n"];
  at += 2;
  const start = at;
  for (; at < lines.length && !isBlank(lines[at]) && !interrupts(lines[at]); at++) {
    if (at === start) html.push("<tbody>\n");
    html.push(row(lines[at], "td", marks));
  }
  if (at > start) html.push("</tbody>\n");
  html.push("</table>\n");
  return new Block(html.join(""), at);
}

/** One row; cells that are missing are empty, cells too many are left out. */
function row(line: string, tag: string, marks: string[]): string {
  const cells = splitRow(line);
  const html: string[] = ["<tr>"];
  for (let i = 0; i < marks.length; i++) {
    const text = i < cells.length ? renderInline(cells[i]) : "";
    html.push("<" + tag + alignment(marks[i]) + ">" + text + "</" + tag + ">");
  }
  html.push("</tr>\n");
  return html.join("");
}

function isMark(text: string): bool {
  let dashes = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charAt(i);
    if (unit === "-") dashes++;
    else if (unit !== ":" || (i > 0 && i < text.length - 1)) return false;
  }
  return dashes > 0;
}

function alignment(mark: string): string {
  const left = mark.startsWith(":");
  const right = mark.endsWith(":");
  if (left && right) return ' style="text-align:center"';
  if (right) return ' style="text-align:right"';
  return left ? ' style="text-align:left"' : "";
}

/** The cells of a row; the bars at its ends are optional, a bar after a backslash is text. */
function splitRow(line: string): string[] {
  const text = line.trim();
  const cells: string[] = [];
  let cell = "";
  for (let i = text.startsWith("|") ? 1 : 0; i < text.length; i++) {
    const unit = text.charAt(i);
    if (unit === "\\" && text.charAt(i + 1) === "|") {
      cell += "|";
      i++;
    } else if (unit === "|") {
      cells.push(cell.trim());
      cell = "";
    } else {
      cell += unit;
    }
  }
  if (cell.trim() !== "" || !text.endsWith("|")) cells.push(cell.trim());
  return cells;
}

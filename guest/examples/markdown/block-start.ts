// Recognises the first line of each kind of block (CommonMark, chapters 4 and 5).

import { indentOf, isBlank, runOf } from "./lines";

/** The level of an ATX heading, 1 to 6; 0 when the line is none. */
export function headingLevel(line: string): i32 {
  const start = indentOf(line);
  if (start > 3 || line.charAt(start) !== "#") return 0;
  const level = runOf(line, start);
  const end = start + level;
  return level <= 6 && (end === line.length || line.charAt(end) === " " || line.charAt(end) === "\t")
    ? level
    : 0;
}

/** The length of a code fence of backticks or tildes; 0 when the line opens none. */
export function fenceLength(line: string): i32 {
  const start = indentOf(line);
  if (start > 3 || start === line.length) return 0;
  const mark = line.charAt(start);
  if (mark !== "`" && mark !== "~") return 0;
  const length = runOf(line, start);
  if (length < 3) return 0;
  return mark === "`" && line.indexOf("`", start + length) >= 0 ? 0 : length;
}

/** Whether the line is a rule: three or more of one mark and nothing else. */
export function isRule(line: string): bool {
  const text = line.split(" ").join("");
  const mark = text.charAt(0);
  if (indentOf(line) > 3 || text.length < 3 || (mark !== "*" && mark !== "-" && mark !== "_")) return false;
  return runOf(text, 0) === text.length;
}

export function isQuote(line: string): bool {
  const start = indentOf(line);
  return start <= 3 && line.charAt(start) === ">";
}

/** The level of an underline that makes the paragraph above a heading; 0 when the line is none. */
export function underlineLevel(line: string): i32 {
  const text = line.trim();
  const mark = text.charAt(0);
  if (indentOf(line) > 3 || text.length === 0 || (mark !== "=" && mark !== "-")) return 0;
  if (runOf(text, 0) !== text.length) return 0;
  return mark === "=" ? 1 : 2;
}

/** What a list item's first line says about it. */
export class ItemStart {
  /** `-`, `+`, `*`, or what ends the number: `.` or `)`. */
  mark: string;
  /** The number of an ordered item, -1 for a bullet. */
  number: i32;
  /** How far the item's content is indented. */
  indent: i32;

  constructor(mark: string, number: i32, indent: i32) {
    this.mark = mark;
    this.number = number;
    this.indent = indent;
  }
}

/** The start of a list item; `null` when the line is none. */
export function itemStart(line: string): ItemStart | null {
  const start = indentOf(line);
  if (start > 3 || isRule(line)) return null;
  let end = start;
  while (end < line.length && isDigit(line.charCodeAt(end))) end++;
  const mark = line.charAt(end);
  const isNumber = end > start && end - start <= 9 && (mark === "." || mark === ")");
  const isBullet = end === start && (mark === "-" || mark === "+" || mark === "*");
  if (!isNumber && !isBullet) return null;
  const number = isNumber ? <i32>I32.parseInt(line.substring(start, end)) : -1;
  const rest = line.substring(end + 1);
  if (isBlank(rest)) return new ItemStart(mark, number, end + 2);
  const space = indentOf(rest);
  if (space === 0) return null;
  // Five spaces or more are one, followed by indented code.
  return new ItemStart(mark, number, end + 1 + (space > 4 ? 1 : space));
}

/** Whether a line ends the paragraph before it. */
export function interrupts(line: string): bool {
  if (headingLevel(line) > 0 || fenceLength(line) > 0 || isRule(line) || isQuote(line)) return true;
  const item = itemStart(line);
  // An empty item, or a number that is not 1, is more likely prose.
  return item !== null && item.number <= 1 && item.number !== 0 && !isBlank(line.substring(item.indent - 1));
}

function isDigit(unit: i32): bool {
  return unit >= 0x30 && unit <= 0x39;
}

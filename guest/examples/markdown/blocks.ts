// The block structure of Markdown: takes lines, finds paragraphs, headings, lists and the rest,
// and writes their HTML. Quotes and lists hold blocks themselves, down to a fixed depth.

import {
  fenceLength,
  headingLevel,
  interrupts,
  isQuote,
  isRule,
  itemStart,
  underlineLevel,
} from "./block-start";
import { escapeHtml } from "./escape";
import { renderInline } from "./inline";
import { indentOf, isBlank, outdent } from "./lines";
import { renderList } from "./list";
import { isTable, renderTable } from "./table";

// Deeper quotes and lists are taken as text, so that no input can exhaust the stack.
const DEPTH_MAX = 24;

/** What a block renderer gives back: HTML, and the first line that is not part of the block. */
export class Block {
  html: string;
  end: i32;

  constructor(html: string, end: i32) {
    this.html = html;
    this.end = end;
  }
}

/** The HTML of some lines; in a tight list paragraphs have no tags of their own. */
export function renderBlocks(lines: string[], depth: i32, tight: bool): string {
  const html: string[] = [];
  let at = 0;
  while (at < lines.length) {
    if (isBlank(lines[at])) {
      at++;
      continue;
    }
    const block = renderBlock(lines, at, depth, tight);
    html.push(block.html);
    at = block.end;
  }
  return html.join("");
}

function renderBlock(lines: string[], at: i32, depth: i32, tight: bool): Block {
  const line = lines[at];
  if (indentOf(line) >= 4) return indentedCode(lines, at);
  if (fenceLength(line) > 0) return fencedCode(lines, at);
  if (headingLevel(line) > 0) return new Block(heading(line), at + 1);
  if (isRule(line)) return new Block("<hr>\n", at + 1);
  if (depth < DEPTH_MAX && isQuote(line)) return quote(lines, at, depth);
  const item = depth < DEPTH_MAX ? itemStart(line) : null;
  if (item !== null) return renderList(lines, at, item, depth);
  if (isTable(lines, at)) return renderTable(lines, at);
  return paragraph(lines, at, tight);
}

function indentedCode(lines: string[], at: i32): Block {
  const code: string[] = [];
  let end = at;
  for (; at < lines.length && (indentOf(lines[at]) >= 4 || isBlank(lines[at])); at++) {
    code.push(outdent(lines[at], 4));
    if (!isBlank(lines[at])) end = at + 1;
  }
  const text = code.join("\n").trimEnd();
  return new Block("<pre><code>" + escapeHtml(text) + "\n</code></pre>\n", end);
}

function fencedCode(lines: string[], at: i32): Block {
  const opening = lines[at];
  const indent = indentOf(opening);
  const length = fenceLength(opening);
  const mark = opening.charAt(indent);
  const language = opening
    .substring(indent + length)
    .trim()
    .split(" ")[0];
  const name = language === "" ? "" : ' class="language-' + escapeHtml(language) + '"';
  const html: string[] = ["<pre><code" + name + ">"];
  for (at++; at < lines.length; at++) {
    if (closesFence(lines[at], mark, length)) return new Block(html.join("") + "</code></pre>\n", at + 1);
    html.push(escapeHtml(outdent(lines[at], indent)));
    html.push("\n");
  }
  return new Block(html.join("") + "</code></pre>\n", at);
}

function closesFence(line: string, mark: string, length: i32): bool {
  const text = line.trim();
  if (indentOf(line) > 3 || text.length < length) return false;
  for (let i = 0; i < text.length; i++) if (text.charAt(i) !== mark) return false;
  return true;
}

function heading(line: string): string {
  const level = headingLevel(line).toString();
  let text = line.trim().substring(headingLevel(line)).trim();
  // A row of # at the end is decoration.
  let end = text.length;
  while (end > 0 && text.charAt(end - 1) === "#") end--;
  if (end === 0 || text.charAt(end - 1) === " ") text = text.substring(0, end).trimEnd();
  return "<h" + level + ">" + renderInline(text) + "</h" + level + ">\n";
}

function quote(lines: string[], at: i32, depth: i32): Block {
  const inner: string[] = [];
  for (; at < lines.length; at++) {
    const line = lines[at];
    if (isQuote(line)) {
      const text = line.substring(indentOf(line) + 1);
      inner.push(text.startsWith(" ") ? text.substring(1) : text);
    } else if (continuesText(inner, line)) {
      inner.push(line);
    } else {
      break;
    }
  }
  return new Block("<blockquote>\n" + renderBlocks(inner, depth + 1, false) + "</blockquote>\n", at);
}

/** Whether a line without its mark goes on with the paragraph that a quote or list item ends in. */
export function continuesText(inner: string[], line: string): bool {
  if (inner.length === 0 || isBlank(line) || interrupts(line)) return false;
  const last = inner[inner.length - 1];
  return (
    !isBlank(last) &&
    indentOf(last) < 4 &&
    headingLevel(last) === 0 &&
    fenceLength(last) === 0 &&
    !isRule(last)
  );
}

function paragraph(lines: string[], at: i32, tight: bool): Block {
  const text: string[] = [];
  for (; at < lines.length && !isBlank(lines[at]); at++) {
    const line = lines[at];
    if (text.length > 0) {
      const level = underlineLevel(line);
      if (level > 0) {
        const tag = "h" + level.toString() + ">";
        return new Block("<" + tag + renderInline(text.join("\n").trim()) + "</" + tag + "\n", at + 1);
      }
      if (interrupts(line)) break;
    }
    text.push(line.trimStart());
  }
  const html = renderInline(text.join("\n").trimEnd());
  return new Block(tight ? html + "\n" : "<p>" + html + "</p>\n", at);
}

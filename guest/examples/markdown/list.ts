// Lists, ordered or not. A list is tight, without paragraph tags, unless a blank line parts its
// items or the blocks within one (CommonMark, section 5.3).

import { ItemStart, interrupts, itemStart } from "./block-start";
import { Block, continuesText, renderBlocks } from "./blocks";
import { indentOf, isBlank } from "./lines";

export function renderList(lines: string[], at: i32, first: ItemStart, depth: i32): Block {
  const items: string[][] = [];
  let loose = false;
  let end = at;
  while (end < lines.length) {
    const start = itemStart(lines[end]);
    if (start === null || start.mark !== first.mark) break;
    const item: string[] = [];
    const next = readItem(lines, end, start, item);
    items.push(item);
    // Blank lines part this item from the next, or blocks within it.
    let following = next;
    while (following < lines.length && isBlank(lines[following])) following++;
    const another = following < lines.length && isSameList(lines[following], first);
    if (hasGap(item) || (another && following > next)) loose = true;
    end = another ? following : next;
    if (!another) break;
  }
  const tag = first.number < 0 ? "ul" : "ol";
  const from = first.number > 1 || first.number === 0 ? ' start="' + first.number.toString() + '"' : "";
  const html: string[] = ["<" + tag + from + ">\n"];
  for (let i = 0; i < items.length; i++) {
    html.push("<li>" + renderBlocks(items[i], depth + 1, !loose).trimEnd() + "</li>\n");
  }
  html.push("</" + tag + ">\n");
  return new Block(html.join(""), end);
}

function isSameList(line: string, first: ItemStart): bool {
  const start = itemStart(line);
  return start !== null && start.mark === first.mark;
}

/** Collects an item's lines without their indentation; the answer is the line behind it. */
function readItem(lines: string[], at: i32, start: ItemStart, item: string[]): i32 {
  item.push(lines[at].substring(start.indent));
  let end = ++at;
  for (; at < lines.length; at++) {
    const line = lines[at];
    if (isBlank(line)) {
      // An item that begins with a blank line holds nothing else.
      if (item.length === 1 && isBlank(item[0])) break;
      item.push("");
    } else if (indentOf(line) >= start.indent) {
      item.push(line.substring(start.indent));
      end = at + 1;
    } else if (itemStart(line) === null && !interrupts(line) && continuesText(item, line)) {
      item.push(line.trimStart());
      end = at + 1;
    } else {
      break;
    }
  }
  while (item.length > 1 && isBlank(item[item.length - 1])) item.pop();
  return end;
}

/** Whether a blank line parts two blocks; blank lines in code do not count. */
function hasGap(item: string[]): bool {
  let fenced = false;
  for (let i = 0; i < item.length; i++) {
    const text = item[i].trimStart();
    if (text.startsWith("```") || text.startsWith("~~~")) fenced = !fenced;
    if (!fenced && i > 0 && isBlank(item[i]) && indentOf(nextText(item, i)) < 2) return true;
  }
  return false;
}

function nextText(item: string[], at: i32): string {
  while (at < item.length && isBlank(item[at])) at++;
  return at < item.length ? item[at] : "";
}

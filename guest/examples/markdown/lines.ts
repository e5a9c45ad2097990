// Lines and their indentation, which is what the block structure of Markdown is made of.

/** The lines of a text; tabs that indent become spaces, to the next multiple of four. */
export function splitLines(text: string): string[] {
  const lines = text.split("\n");
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i];
    const end = line.endsWith("\r") ? line.length - 1 : line.length;
    lines[i] = expandTabs(line.substring(0, end));
  }
  return lines;
}

function expandTabs(line: string): string {
  if (line.indexOf("\t") < 0) return line;
  let column = 0;
  let i = 0;
  for (; i < line.length; i++) {
    const unit = line.charCodeAt(i);
    if (unit === 0x20) column++;
    else if (unit === 0x09) column += 4 - (column % 4);
    else break;
  }
  return " ".repeat(column) + line.substring(i);
}

/** How many spaces a line begins with. */
export function indentOf(line: string): i32 {
  let i = 0;
  while (i < line.length && line.charCodeAt(i) === 0x20) i++;
  return i;
}

export function isBlank(line: string): bool {
  return line.trim().length === 0;
}

/** The line without up to `count` leading spaces. */
export function outdent(line: string, count: i32): string {
  return line.substring(min(count, indentOf(line)));
}

/** How often the unit at `start` is repeated from there. */
export function runOf(text: string, start: i32): i32 {
  const unit = text.charCodeAt(start);
  let end = start;
  while (end < text.length && text.charCodeAt(end) === unit) end++;
  return end - start;
}

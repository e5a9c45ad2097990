// Makes text from outside (logs of guests, names, details of problem documents) safe to print on a
// terminal: no control sequence, no reordered text, no forged line. Pure; used by everything in
// cli/ that prints what a host sent. It shows what is unsafe, where a log replaces it.

import { unsafeCharacters } from "../printable.ts";

/** Shows each unsafe character as its escape; one line stays one line. */
export function terminalLine(text: string): string {
  return text.replace(unsafeCharacters, escapeOf).replaceAll("\n", "\\n");
}

/** As `terminalLine`, but keeps line breaks, with each further line indented so that none looks like a new entry. */
export function terminalBlock(text: string): string {
  return text
    .split(/\r?\n/)
    .map((line) => terminalLine(line))
    .join("\n    ");
}

function escapeOf(character: string): string {
  if (character === "\r") return "\\r";
  const code = character.charCodeAt(0);
  return code < 0x100
    ? `\\x${code.toString(16).padStart(2, "0")}`
    : `\\u${code.toString(16).padStart(4, "0")}`;
}

// Makes text that someone else had a say in safe to show (docs/threat-model.md H12): in logs, in
// messages, on a terminal (`cli/terminal-text.ts`). Pure; a leaf that every folder may import.

/**
 * Control characters but for tab and line feed, line separators, and what changes the direction of
 * text. Global, so for `replace` only.
 */
export const unsafeCharacters = /[[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]--[\t\n]]/gv;

const asciiCharactersMax = 100;

/** Replaces unsafe characters by U+FFFD. Tabs and line feeds stay: each log line is kept as one JSON string. */
export function printable(text: string): string {
  return text.replace(unsafeCharacters, "\uFFFD");
}

/** For a message of one line: `text` cut to 100 characters, everything but U+0020 to U+007E made "?". */
export function printableAscii(text: string): string {
  return text.slice(0, asciiCharactersMax).replace(/[^ -~]/g, "?");
}

// Makes text that a guest had a say in safe to show: no control or escape character reaches a log
// or a terminal (docs/threat-model.md H12). Tabs and line breaks stay: each line is kept as one JSON string.

// biome-ignore lint/suspicious/noControlCharactersInRegex: removing them is the purpose
const unsafe = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** Replaces control, escape, line-separator and bidirectional-override characters by U+FFFD. */
export function printable(text: string): string {
  return text.replace(unsafe, "\uFFFD");
}

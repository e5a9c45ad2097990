// Makes text of a guest fit for messages and logs (docs/threat-model.md H12): printable ASCII only, bounded.

const charactersMax = 100;

/** `text` cut to 100 characters, everything but U+0020 to U+007E replaced by "?". */
export function printable(text: string): string {
  return text.slice(0, charactersMax).replace(/[^ -~]/g, "?");
}

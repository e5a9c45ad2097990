// Text as HTML: nothing that comes from the Markdown reaches the page but through here.

/** The text with all that HTML gives a meaning escaped; fit for content and quoted attributes. */
export function escapeHtml(text: string): string {
  let escaped = "";
  let plain = 0;
  for (let i = 0; i < text.length; i++) {
    const entity = entityOf(text.charCodeAt(i));
    if (entity === "") continue;
    escaped += text.substring(plain, i) + entity;
    plain = i + 1;
  }
  return plain === 0 ? text : escaped + text.substring(plain);
}

function entityOf(unit: i32): string {
  if (unit === 0x26) return "&amp;";
  if (unit === 0x3c) return "&lt;";
  if (unit === 0x3e) return "&gt;";
  if (unit === 0x22) return "&quot;";
  if (unit === 0x27) return "&#39;";
  // No document may hold a zero character.
  return unit === 0 ? "\uFFFD" : "";
}

/** Whether a unit is ASCII punctuation, which is what a backslash can escape. */
export function isPunctuation(unit: i32): bool {
  return (
    (unit >= 0x21 && unit <= 0x2f) ||
    (unit >= 0x3a && unit <= 0x40) ||
    (unit >= 0x5b && unit <= 0x60) ||
    (unit >= 0x7b && unit <= 0x7e)
  );
}

/** Whether a unit is white space. */
export function isSpace(unit: i32): bool {
  return unit === 0x20 || (unit >= 0x09 && unit <= 0x0d) || unit === 0xa0;
}

// A string as JSON text. What comes out is always valid Unicode: a lone surrogate is escaped, as
// JavaScript's well-formed JSON.stringify does. Internal: functions call `JSON.quote`.

/** The text with quotes around it and escapes where RFC 8259, section 7, wants them. */
export function quoteJson(text: string): string {
  let quoted = '"';
  let plain = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if ((unit & 0xfc00) === 0xd800 && i + 1 < text.length && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) {
      i++;
      continue;
    }
    const surrogate = (unit & 0xf800) === 0xd800;
    if (unit >= 0x20 && unit !== 0x22 && unit !== 0x5c && !surrogate) continue;
    quoted += text.substring(plain, i) + escape(unit);
    plain = i + 1;
  }
  return quoted + (plain === 0 ? text : text.substring(plain)) + '"';
}

function escape(unit: i32): string {
  if (unit === 0x22) return '\\"';
  if (unit === 0x5c) return "\\\\";
  if (unit === 0x0a) return "\\n";
  if (unit === 0x0d) return "\\r";
  if (unit === 0x09) return "\\t";
  return "\\u" + hex(unit >> 12) + hex(unit >> 8) + hex(unit >> 4) + hex(unit);
}

function hex(digit: i32): string {
  return "0123456789abcdef".charAt(digit & 15);
}

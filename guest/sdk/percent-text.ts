// Percent-encoded text in a header, as the HTTP binding of CloudEvents 1.0 has it (section 3.1.3.2): the
// bytes of UTF-8, those that no header may hold as `%xx`. Internal.

import { hexDigit } from "./form-text";
import { decodeUtf8 } from "./utf8";

/** A `%` without two hex digits is itself. Each character of `value` is one byte. */
export function decodePercentText(value: string): string {
  const bytes = new ArrayBuffer(value.length);
  const start = changetype<usize>(bytes);
  let out = start;
  for (let i = 0; i < value.length; i++) {
    let byte = value.charCodeAt(i);
    if (byte === 0x25 && i + 2 < value.length) {
      const high = hexDigit(value.charCodeAt(i + 1));
      const low = hexDigit(value.charCodeAt(i + 2));
      if (high >= 0 && low >= 0) {
        byte = (high << 4) | low;
        i += 2;
      }
    }
    store<u8>(out++, <u8>byte);
  }
  return decodeUtf8(start, <i32>(out - start));
}

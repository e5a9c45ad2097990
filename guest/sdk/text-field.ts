// A text in a message to the host: its length in bytes, then as many bytes of UTF-8. Internal.

import { encodeUtf8, utf8Length } from "./utf8";

/** The bytes that `writeTextField` writes. */
export function textFieldLength(text: string): i32 {
  return 4 + utf8Length(text);
}

/** Writes `text` at an address and returns the address behind it. */
export function writeTextField(at: usize, text: string): usize {
  const length = encodeUtf8(text, at + 4);
  store<i32>(at, length);
  return at + 4 + <usize>length;
}

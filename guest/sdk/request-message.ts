// The host's request message (docs/abi.md) and where its parts are. It is kept as it came and a
// part is decoded when it is asked for. The host wrote it, so nothing is checked. Internal.

import { lowerAscii } from "./header-name";
import { decodeUtf8 } from "./utf8";

// The texts of the head, in their order; the headers follow.
export const METHOD = 0;
export const URL = 1;
export const PATH = 2;
export const QUERY = 3;
export const REMOTE_ADDRESS = 4;
export const HEADERS = 5;

/** One of the texts of the head. */
export function partText(message: ArrayBuffer, part: i32): string {
  return textAt(message, partAt(message, part));
}

/** The offset of a part: the length of a text, or the number of headers. */
export function partAt(message: ArrayBuffer, part: i32): i32 {
  let at = 4;
  for (; part > 0; part--) at = textEnd(message, at);
  return at;
}

/** The text whose length is at an offset. */
export function textAt(message: ArrayBuffer, at: i32): string {
  return decodeUtf8(address(message, at + 4), numberAt(message, at));
}

/** The offset behind the text whose length is at an offset. */
export function textEnd(message: ArrayBuffer, at: i32): i32 {
  return at + 4 + numberAt(message, at);
}

/** Whether the header name at an offset, which is lower case ASCII, is `name` in any case. */
export function nameIs(message: ArrayBuffer, at: i32, name: string): bool {
  const length = numberAt(message, at);
  if (length !== name.length) return false;
  const start = address(message, at + 4);
  for (let i = 0; i < length; i++) {
    if (<i32>load<u8>(start + <usize>i) !== lowerAscii(name.charCodeAt(i))) return false;
  }
  return true;
}

/** The offset of the body, which is the rest of the message. */
export function bodyAt(message: ArrayBuffer): i32 {
  return 4 + numberAt(message, 0);
}

/** The number at an offset. */
export function numberAt(message: ArrayBuffer, at: i32): i32 {
  return load<i32>(address(message, at));
}

/** The address of an offset; it holds as long as the message is referred to. */
export function address(message: ArrayBuffer, at: i32): usize {
  return changetype<usize>(message) + <usize>at;
}

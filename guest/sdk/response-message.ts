// The layout of a response as a message to the host (docs/abi.md). Internal.

import { Headers } from "./headers";
import { encodeUtf8, utf8Length } from "./utf8";

/** A message with its head, and room for a body of so many bytes behind it. */
export function responseMessage(status: i32, headers: Headers, bodyLength: i32): ArrayBuffer {
  let headLength = 8;
  for (let i = 0; i < headers.length; i++) {
    headLength += 8 + utf8Length(headers.nameAt(i)) + utf8Length(headers.valueAt(i));
  }
  const message = new ArrayBuffer(4 + headLength + bodyLength);
  const start = changetype<usize>(message);
  store<i32>(start, headLength);
  store<i32>(start, status, 4);
  store<i32>(start, headers.length, 8);
  let at = start + 12;
  for (let i = 0; i < headers.length; i++) {
    at = writeText(at, headers.nameAt(i));
    at = writeText(at, headers.valueAt(i));
  }
  return message;
}

function writeText(at: usize, text: string): usize {
  const length = encodeUtf8(text, at + 4);
  store<i32>(at, length);
  return at + 4 + <usize>length;
}

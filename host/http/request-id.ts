// The ids of requests: random UUIDs (RFC 9562, section 5.4), written many at a time, which takes a third of
// the time of one by one. A leaf; used wherever a request comes in.

import { randomFillSync } from "node:crypto";

const idsAtOnce = 128;
const idBytes = 16;
const idCharacters = 36;

const random = Buffer.alloc(idsAtOnce * idBytes);
const written = Buffer.alloc(idsAtOnce * idCharacters);
const digits = Buffer.from("0123456789abcdef");
let ids = "";
let at = 0;

/** A new id, which nobody can guess and nobody else has. */
export function newRequestId(): string {
  if (at === ids.length) {
    ids = writeIds();
    at = 0;
  }
  at += idCharacters;
  return ids.slice(at - idCharacters, at);
}

/** The next ids, one behind the other. */
function writeIds(): string {
  randomFillSync(random);
  let to = 0;
  for (let index = 0; index < random.length; index += 1) {
    const place = index % idBytes;
    let byte = random[index] as number;
    if (place === 6) byte = 0x40 | (byte & 0x0f);
    if (place === 8) byte = 0x80 | (byte & 0x3f);
    if (place === 4 || place === 6 || place === 8 || place === 10) {
      written[to] = 0x2d;
      to += 1;
    }
    written[to] = digits[byte >>> 4] as number;
    written[to + 1] = digits[byte & 0x0f] as number;
    to += 2;
  }
  return written.toString("latin1");
}

// Reads application/x-www-form-urlencoded text, which is what a query is, in place: pairs are
// found in the message's bytes and only what is asked for is decoded. Internal to the SDK.

import { decodeUtf8 } from "./utf8";

const PERCENT: u8 = 0x25;
const AMPERSAND: u8 = 0x26;
const PLUS: u8 = 0x2b;
const EQUALS: u8 = 0x3d;

/** A cursor over the pairs of `a=1&b=2` between two addresses. */
export class FormPairs {
  private next: usize;
  private end: usize;
  private keyStart: usize = 0;
  private keyEnd: usize = 0;
  private pairEnd: usize = 0;

  constructor(start: usize, end: usize) {
    this.next = start;
    this.end = end;
  }

  /** Moves to the next pair; empty ones, as in `a=1&&b=2`, are passed over. */
  advance(): bool {
    while (this.next < this.end && load<u8>(this.next) === AMPERSAND) this.next++;
    if (this.next >= this.end) return false;
    this.keyStart = this.next;
    this.pairEnd = find(this.next, this.end, AMPERSAND);
    this.keyEnd = find(this.keyStart, this.pairEnd, EQUALS);
    this.next = this.pairEnd;
    return true;
  }

  /** The current key, decoded. */
  get key(): string {
    return decodeFormText(this.keyStart, this.keyEnd);
  }

  /** The current value, decoded; empty when there is no `=`. */
  get value(): string {
    return this.keyEnd === this.pairEnd ? "" : decodeFormText(this.keyEnd + 1, this.pairEnd);
  }
}

function find(start: usize, end: usize, byte: u8): usize {
  while (start < end && load<u8>(start) !== byte) start++;
  return start;
}

/** `+` is a space, `%xx` a byte, and a `%` without two hex digits is itself (URL standard, section 5.1). */
function decodeFormText(start: usize, end: usize): string {
  const bytes = new ArrayBuffer(<i32>(end - start));
  const base = changetype<usize>(bytes);
  let out = base;
  while (start < end) {
    let byte = load<u8>(start++);
    if (byte === PLUS) byte = 0x20;
    else if (byte === PERCENT && end - start >= 2) {
      const high = hexDigit(load<u8>(start));
      const low = hexDigit(load<u8>(start, 1));
      if (high >= 0 && low >= 0) {
        byte = <u8>((high << 4) | low);
        start += 2;
      }
    }
    store<u8>(out++, byte);
  }
  return decodeUtf8(base, <i32>(out - base));
}

/** The value of one hex digit, or -1. */
export function hexDigit(byte: i32): i32 {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

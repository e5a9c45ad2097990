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
const HEADERS = 5;

export class RequestMessage {
  private bytes: ArrayBuffer;

  constructor(bytes: ArrayBuffer) {
    this.bytes = bytes;
  }

  /** One of the texts of the head. */
  text(part: i32): string {
    return this.textAt(this.partAt(part));
  }

  /** The address of a text's first byte; `textBytes` is how many there are. */
  textStart(part: i32): usize {
    return this.address(this.partAt(part) + 4);
  }

  textBytes(part: i32): i32 {
    return this.numberAt(this.partAt(part));
  }

  get headerCount(): i32 {
    return this.numberAt(this.partAt(HEADERS));
  }

  /** The offset of the first header's name; its value follows, then the next name. */
  get headersStart(): i32 {
    return this.partAt(HEADERS) + 4;
  }

  /** The text whose length is at an offset. */
  textAt(at: i32): string {
    return decodeUtf8(this.address(at + 4), this.numberAt(at));
  }

  /** The offset behind the text whose length is at an offset. */
  textEnd(at: i32): i32 {
    return at + 4 + this.numberAt(at);
  }

  /** Whether the header name at an offset, which is lower case ASCII, is `name` in any case. */
  nameIs(at: i32, name: string): bool {
    const length = this.numberAt(at);
    if (length !== name.length) return false;
    const start = this.address(at + 4);
    for (let i = 0; i < length; i++) {
      if (<i32>load<u8>(start + <usize>i) !== lowerAscii(name.charCodeAt(i))) return false;
    }
    return true;
  }

  /** The body, as a view of the message. */
  get body(): Uint8Array {
    const start = 4 + this.numberAt(0);
    return Uint8Array.wrap(this.bytes, start, this.bytes.byteLength - start);
  }

  /** The body as text, without a byte order mark. */
  get bodyText(): string {
    const offset = 4 + this.numberAt(0);
    let start = this.address(offset);
    let length = this.bytes.byteLength - offset;
    if (length >= 3 && load<u8>(start) === 0xef && load<u16>(start, 1) === 0xbfbb) {
      start += 3;
      length -= 3;
    }
    return decodeUtf8(start, length);
  }

  private partAt(part: i32): i32 {
    let at = 4;
    for (; part > 0; part--) at = this.textEnd(at);
    return at;
  }

  private numberAt(at: i32): i32 {
    return load<i32>(this.address(at));
  }

  private address(at: i32): usize {
    return changetype<usize>(this.bytes) + <usize>at;
  }
}

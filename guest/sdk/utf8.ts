// UTF-8 to strings and back, as the Encoding standard has it: what is not valid becomes U+FFFD and
// nothing is ever cut or refused. Internal to the SDK; used for every text that crosses to the host.

const REPLACEMENT: u32 = 0xfffd;

/** Decodes `length` bytes at `ptr`; each ill-formed sequence becomes one U+FFFD. */
export function decodeUtf8(ptr: usize, length: i32): string {
  if (length === 0) return "";
  // No sequence yields more UTF-16 units than it has bytes, so the string is made at that size.
  // @ts-ignore: part of the runtime, not of the editor's types
  const text: usize = __new((<usize>length) << 1, idof<string>());
  const end = ptr + <usize>length;
  let out = text;
  while (ptr < end) {
    const lead = <u32>load<u8>(ptr++);
    if (lead < 0x80) {
      store<u16>(out, <u16>lead);
      out += 2;
      continue;
    }
    // Unicode 16, table 3-7: the second byte of some leads has a narrower range.
    let more = 0;
    let lower: u32 = 0x80;
    let upper: u32 = 0xbf;
    let code = REPLACEMENT;
    if (lead >= 0xc2 && lead <= 0xdf) {
      more = 1;
      code = lead & 0x1f;
    } else if ((lead & 0xf0) === 0xe0) {
      more = 2;
      code = lead & 0x0f;
      if (lead === 0xe0) lower = 0xa0;
      if (lead === 0xed) upper = 0x9f;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
      more = 3;
      code = lead & 0x07;
      if (lead === 0xf0) lower = 0x90;
      if (lead === 0xf4) upper = 0x8f;
    }
    for (; more > 0; more--) {
      const byte = ptr < end ? <u32>load<u8>(ptr) : 0;
      if (byte < lower || byte > upper) {
        code = REPLACEMENT;
        break;
      }
      code = (code << 6) | (byte & 0x3f);
      lower = 0x80;
      upper = 0xbf;
      ptr++;
    }
    if (code >= 0x10000) {
      store<u16>(out, <u16>(0xd7c0 + (code >> 10)));
      store<u16>(out, <u16>(0xdc00 | (code & 0x3ff)), 2);
      out += 4;
    } else {
      store<u16>(out, <u16>code);
      out += 2;
    }
  }
  // @ts-ignore: part of the runtime, not of the editor's types
  return changetype<string>(out === text + ((<usize>length) << 1) ? text : __renew(text, out - text));
}

/** The bytes that `encodeUtf8` writes for `text`. */
export function utf8Length(text: string): i32 {
  return String.UTF8.byteLength(text);
}

/** Writes `text` at `ptr` and returns the bytes written; a lone surrogate becomes U+FFFD. */
export function encodeUtf8(text: string, ptr: usize): i32 {
  const written = String.UTF8.encodeUnsafe(
    changetype<usize>(text),
    text.length,
    ptr,
    false,
    String.UTF8.ErrorMode.REPLACE,
  );
  return <i32>written;
}

/** Encodes `text` into a buffer of its own. */
export function utf8Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(utf8Length(text));
  encodeUtf8(text, bytes.dataStart);
  return bytes;
}

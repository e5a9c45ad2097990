// Header names are compared without regard to case (RFC 9110, section 5.1). Internal to the SDK.

/** Whether two header names are the same without regard to the case of A to Z. */
export function sameName(a: string, b: string): bool {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (lowerAscii(a.charCodeAt(i)) !== lowerAscii(b.charCodeAt(i))) return false;
  }
  return true;
}

/** The lower case of one UTF-16 unit, for A to Z alone. */
export function lowerAscii(unit: i32): i32 {
  return unit >= 0x41 && unit <= 0x5a ? unit | 0x20 : unit;
}

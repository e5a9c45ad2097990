// Byte ranges (RFC 9110, section 14): which part of a whole a request asks for.

export type ByteRange = {
  readonly start: number;
  /** Behind the last byte. */
  readonly end: number;
};

/**
 * The one range that `Range` asks for of `bytes` bytes; null where the whole is to be sent, as for other
 * units, several ranges and what is malformed (section 14.2: a server may ignore the field);
 * "unsatisfiable" where there is nothing to send.
 */
export function rangeOf(header: string | undefined, bytes: number): ByteRange | "unsatisfiable" | null {
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/i.exec(header?.trim() ?? "") ?? [];
  if (first === "" && last === "") return null;
  if (first === "") {
    const count = Math.min(Number(last), bytes);
    return count === 0 ? "unsatisfiable" : { start: bytes - count, end: bytes };
  }
  if (last !== "" && Number(last) < Number(first)) return null;
  if (Number(first) >= bytes) return "unsatisfiable";
  return { start: Number(first), end: last === "" ? bytes : Math.min(Number(last) + 1, bytes) };
}

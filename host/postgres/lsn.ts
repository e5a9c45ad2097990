// Positions in PostgreSQL's write-ahead log: 64-bit numbers, written as two halves in hexadecimal digits.

const halfBits = 32n;
const halfMask = 0xffffffffn;

/** As PostgreSQL writes it: `0/156B8A8`. */
export function lsnText(lsn: bigint): string {
  return `${(lsn >> halfBits).toString(16)}/${(lsn & halfMask).toString(16)}`.toUpperCase();
}

/** With eight digits each, so that texts are in the order of positions. */
export function lsnSortable(lsn: bigint): string {
  const half = (value: bigint): string => value.toString(16).padStart(8, "0");
  return `${half(lsn >> halfBits)}/${half(lsn & halfMask)}`.toUpperCase();
}

/** Of either form; 0 of null, which the client gives for it. */
export function parseLsn(text: string | null): bigint {
  const [, high = "", low = ""] = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text ?? "0/0") ?? [];
  if (high === "") throw new Error(`PostgreSQL gave a position that is none: ${text}`);
  return (BigInt(`0x${high}`) << halfBits) | BigInt(`0x${low}`);
}

// Keys with a prefix, in the order of their bytes, as a range that an index can walk.

/** From the first such key up to the first that is none, which is null where nothing is behind them. */
export function keyRange(prefix: string): { readonly from: Uint8Array; readonly end: Uint8Array | null } {
  const from = Buffer.from(prefix);
  return { from, end: keyAfterAll(from) };
}

/** The least key that is behind all with a prefix; null when there is none. */
function keyAfterAll(prefix: Uint8Array): Uint8Array | null {
  const last = prefix.findLastIndex((byte) => byte < 0xff);
  if (last === -1) return null;
  const next = Buffer.from(prefix.subarray(0, last + 1));
  next[last] = (next[last] as number) + 1;
  return next;
}

// What the triggers of a key-value store are told of a change (docs/events.md).

import { isUtf8 } from "node:buffer";
import { limits } from "../../limits.ts";
import { plainName } from "../../namespace.ts";
import type { Telling } from "./telling.ts";

export type KvChange = "set" | "deleted" | "expired";

export type ChangedKey = {
  readonly store: string;
  readonly key: string;
  /** After a set; before it was deleted or expired. */
  readonly version: number;
  /** Null where there is none any more, or was none before. */
  readonly value: Uint8Array | null;
  readonly oldValue: Uint8Array | null;
};

export function tellOfKey(telling: Telling, change: KvChange, changed: ChangedKey): void {
  const { key, version } = changed;
  const store = plainName(changed.store);
  const base = { type: `mayfly.kv.${change}`, source: `/kv/${store}`, key };
  const plain = { ...base, data: { store, key, version } };
  let withValues: typeof plain | null = null;
  telling.tell("kv", changed.store, (settings) => {
    if (!settings.on.includes(change) || !key.startsWith(settings.prefix)) return null;
    if (!settings.values) return plain;
    withValues ??= { ...base, data: { ...plain.data, ...valuesOf(changed) } };
    return withValues;
  });
}

/** As texts where they are such, else in base64; left out where the event would be too large. */
function valuesOf({ value, oldValue }: ChangedKey): object {
  const values = { ...member("value", value), ...member("oldValue", oldValue) };
  // Beside what else an event holds: the key twice, at worst with each byte escaped.
  const room = limits.eventBytesMax - 10 * limits.kvKeyBytesMax;
  return Buffer.byteLength(JSON.stringify(values)) <= room ? values : { valuesTooLarge: true };
}

function member(name: string, value: Uint8Array | null): object {
  if (value === null) return { [name]: null };
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return isUtf8(bytes) ? { [name]: bytes.toString() } : { [`${name}Base64`]: bytes.toString("base64") };
}

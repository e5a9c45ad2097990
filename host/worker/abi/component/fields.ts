// HTTP fields as wasi:http has them: names and values as they came, looked up without regard to case. What
// may not be is told to the guest; what goes out is checked once more by the host (http/guest-response.ts).

import { limits } from "../../../limits.ts";
import { type Keep, Kept } from "./kept.ts";

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Visible ASCII, space, tab and obs-text (RFC 9110, section 5.5). */
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/;
/** Of one connection alone, which is the host's (section 7.6.1). */
const forbidden = new Set([
  "connection",
  "host",
  "http2-settings",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
]);

export type HeaderFault = { readonly tag: "invalid-syntax" | "forbidden" | "immutable" };

/** What an entry takes beside its characters. */
const entryBytes = 64;

type FieldEntry = readonly [name: string, value: string];

const sizeOf = (entries: readonly FieldEntry[]): number =>
  entries.reduce((sum, [name, value]) => sum + entryBytes + name.length + value.length, 0);

export class Fields {
  #entries: FieldEntry[];
  readonly #isImmutable: boolean;
  readonly #keep: Keep;
  readonly #kept: Kept;

  /** Throws a GuestFault where there is no room for them. */
  constructor(keep: Keep, entries: readonly FieldEntry[] = [], isImmutable = false) {
    this.#keep = keep;
    this.#kept = new Kept(keep);
    this.#kept.add(sizeOf(entries));
    this.#entries = [...entries];
    this.#isImmutable = isImmutable;
  }

  dropped(): void {
    this.#kept.release();
  }

  /** Names and values, which are byte strings. */
  get entries(): readonly FieldEntry[] {
    return this.#entries;
  }

  /** The same fields, which the guest cannot change any more. */
  frozen(): Fields {
    return new Fields(this.#keep, this.#entries, true);
  }

  get(name: string): string[] {
    const wanted = name.toLowerCase();
    return this.#entries.filter(([other]) => other.toLowerCase() === wanted).map(([, value]) => value);
  }

  /** Replaces the values of a name; what is wrong with them, or null. */
  set(name: string, values: readonly Uint8Array[]): HeaderFault | null {
    const added = this.#checked(name, values);
    if ("tag" in added) return added;
    const wanted = name.toLowerCase();
    const entries = this.#entries.filter(([other]) => other.toLowerCase() !== wanted);
    entries.push(...added);
    this.#kept.set(sizeOf(entries));
    this.#entries = entries;
    return null;
  }

  append(name: string, value: Uint8Array): HeaderFault | null {
    const added = this.#checked(name, [value]);
    if ("tag" in added) return added;
    this.#kept.add(sizeOf(added));
    this.#entries.push(...added);
    return null;
  }

  #checked(name: string, values: readonly Uint8Array[]): FieldEntry[] | HeaderFault {
    if (this.#isImmutable) return { tag: "immutable" };
    if (!token.test(name)) return { tag: "invalid-syntax" };
    // More than may leave the host is no header block, whatever it says.
    if (this.#entries.length + values.length > limits.listItemsMax) return { tag: "invalid-syntax" };
    const added: FieldEntry[] = [];
    for (const bytes of values) {
      if (bytes.byteLength > limits.responseHeaderBytesMax) return { tag: "invalid-syntax" };
      const value = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
      if (!fieldValue.test(value)) return { tag: "invalid-syntax" };
      added.push([name, value]);
    }
    return forbidden.has(name.toLowerCase()) ? { tag: "forbidden" } : added;
  }
}

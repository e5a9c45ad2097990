// HTTP fields as wasi:http has them: names and values as they came, looked up without regard to case. What
// may not be is told to the guest; what goes out is checked once more by the host (http/guest-response.ts).

import { limits } from "../../../limits.ts";

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

export class Fields {
  #entries: (readonly [name: string, value: string])[];
  readonly #isImmutable: boolean;

  constructor(entries: readonly (readonly [string, string])[] = [], isImmutable = false) {
    this.#entries = [...entries];
    this.#isImmutable = isImmutable;
  }

  /** Names and values, which are byte strings. */
  get entries(): readonly (readonly [string, string])[] {
    return this.#entries;
  }

  /** The same fields, which the guest cannot change any more. */
  frozen(): Fields {
    return new Fields(this.#entries, true);
  }

  get(name: string): string[] {
    const wanted = name.toLowerCase();
    return this.#entries.filter(([other]) => other.toLowerCase() === wanted).map(([, value]) => value);
  }

  /** Replaces the values of a name; what is wrong with them, or null. */
  set(name: string, values: readonly string[]): HeaderFault | null {
    const fault = this.#fault(name, values);
    if (fault !== null) return fault;
    const wanted = name.toLowerCase();
    this.#entries = this.#entries.filter(([other]) => other.toLowerCase() !== wanted);
    for (const value of values) this.#entries.push([name, value]);
    return null;
  }

  append(name: string, value: string): HeaderFault | null {
    const fault = this.#fault(name, [value]);
    if (fault === null) this.#entries.push([name, value]);
    return fault;
  }

  #fault(name: string, values: readonly string[]): HeaderFault | null {
    if (this.#isImmutable) return { tag: "immutable" };
    if (!token.test(name)) return { tag: "invalid-syntax" };
    if (!values.every((value) => fieldValue.test(value))) return { tag: "invalid-syntax" };
    if (forbidden.has(name.toLowerCase())) return { tag: "forbidden" };
    // More than may leave the host is no header block, whatever it says.
    return this.#entries.length + values.length > limits.listItemsMax ? { tag: "invalid-syntax" } : null;
  }
}

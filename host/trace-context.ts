// What a call knows of the trace that it is part of, read from and written to the headers of W3C Trace
// Context. No I/O but for chance.

import { randomBytes } from "node:crypto";

/** Level 1, section 3.2; a later version may have more behind what this one knows. */
const traceparentPattern = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:$|-)/;
const traceparentLength = 55;
/** Section 3.3.1.5: what has to be passed on. */
const tracestateLengthMax = 512;
const sampledFlag = 1;

type Parent = {
  readonly traceId: string;
  readonly spanId: string;
  readonly flags: number;
  readonly state: string;
};

/** Where a call is in its trace. Ids are made when somebody asks for them: most traces are not sampled. */
export class Trace {
  /** The span that called, somewhere else; null where the trace begins here. */
  readonly parent: Parent | null;
  /** Whether its span is exported. */
  readonly isSampled: boolean;
  /** Whether it is passed on as it came, because nobody here takes part in traces. */
  readonly #passesOn: boolean;
  #ids: { readonly traceId: string; readonly spanId: string } | null = null;

  constructor(parent: Parent | null, isSampled: boolean, passesOn: boolean) {
    this.parent = parent;
    this.isSampled = isSampled;
    this.#passesOn = passesOn;
  }

  get traceId(): string {
    return this.#made().traceId;
  }

  get spanId(): string {
    return this.#made().spanId;
  }

  /** What goes to whoever is called from here. */
  get traceparent(): string {
    const { traceId, spanId } = this.#made();
    const flags = this.#passesOn ? (this.parent?.flags ?? 0) & sampledFlag : Number(this.isSampled);
    return `00-${traceId}-${spanId}-0${flags}`;
  }

  /** "" for none. */
  get tracestate(): string {
    return this.parent?.state ?? "";
  }

  #made(): { readonly traceId: string; readonly spanId: string } {
    if (this.#ids === null) {
      const { parent } = this;
      const random = randomBytes(24).toString("hex");
      this.#ids = {
        traceId: parent?.traceId ?? random.slice(0, 32),
        spanId: this.#passesOn && parent !== null ? parent.spanId : random.slice(32),
      };
    }
    return this.#ids;
  }
}

/** Begins the traces of calls; `share` of those that nobody has decided about is sampled, null: no part is taken. */
export class Traces {
  readonly #share: number | null;
  readonly #random: () => number;

  constructor(share: number | null, random: () => number = Math.random) {
    this.#share = share;
    this.#random = random;
  }

  /** The trace of a call with such headers; null when there is nothing to say about it to anybody. */
  of(
    traceparent: string | readonly string[] | undefined,
    tracestate?: string | readonly string[],
  ): Trace | null {
    const parent = typeof traceparent === "string" ? readParent(traceparent, tracestate) : null;
    if (this.#share === null) return parent && new Trace(parent, false, true);
    // Whoever began the trace has decided.
    const isSampled = parent === null ? this.#random() < this.#share : (parent.flags & sampledFlag) === 1;
    return new Trace(parent, isSampled, false);
  }
}

/** Null for what is malformed: then the trace begins here (section 4.3). */
function readParent(traceparent: string, tracestate: string | readonly string[] | undefined): Parent | null {
  const [, version, traceId = "", spanId = "", flags = ""] = traceparentPattern.exec(traceparent) ?? [];
  if (version === undefined || version === "ff") return null;
  if (version === "00" && traceparent.length !== traceparentLength) return null;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return null;
  return { traceId, spanId, flags: Number.parseInt(flags, 16), state: readState(tracestate) };
}

/** What cannot be passed on as it is is left out whole. */
function readState(tracestate: string | readonly string[] | undefined): string {
  const text = typeof tracestate === "string" ? tracestate.trim() : (tracestate ?? []).join(",");
  return text.length <= tracestateLengthMax && /^[\x20-\x7e]*$/.test(text) ? text : "";
}

/** The value of a header among names, in any case, and values, which alternate. */
export function headerIn(headers: readonly string[], wanted: string): string | undefined {
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] as string;
    if (name.length === wanted.length && name.toLowerCase() === wanted) return headers[index + 1];
  }
  return undefined;
}

// What the leaves of `host/wasm/` throw: what was found, what is wanted and the offset, without the
// function it was found in. `inspect.ts` says it to the world as a WasmRefusal; it never leaves this
// folder.

import { type LimitName, limits } from "../limits.ts";
import { featureNames, refusedFeatures } from "./features.ts";
import type { RefusalCode } from "./refusal.ts";

const validWanted = "wanted a valid WebAssembly module";

/** `message` is what was found; `offset` counts bytes from the module's start, null for all of it. */
export class ReadFault extends Error {
  readonly code: RefusalCode;
  readonly wanted: string;
  readonly feature: string | null;
  readonly offset: number | null;

  constructor(
    code: RefusalCode,
    found: string,
    wanted: string,
    feature: string | null,
    offset: number | null,
  ) {
    super(found);
    this.name = "ReadFault";
    this.code = code;
    this.wanted = wanted;
    this.feature = feature;
    this.offset = offset;
  }
}

/** The bytes are no readable module. */
export function malformed(found: string, offset: number | null, wanted = validWanted): ReadFault {
  return new ReadFault("invalid_module", found, wanted, null, offset);
}

/** `what` uses the refused features among `bits`. */
export function unsupported(bits: number, what: string, offset: number): ReadFault {
  const name = featureNames(bits & refusedFeatures)[0] ?? "unknown-opcode";
  return new ReadFault(
    "unsupported_feature",
    `it uses ${name} (${what})`,
    "wanted a module without",
    name,
    offset,
  );
}

/** A size is over the limit of that row of `limits.ts`. */
export function overLimit(found: string, limitName: LimitName, offset: number): ReadFault {
  return new ReadFault("unsupported_feature", found, `limit is ${limits[limitName]}`, limitName, offset);
}

/** `byte` as "0x0f". */
export function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, "0")}`;
}

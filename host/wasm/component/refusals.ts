// What a valid component may use and the host does not run.

import { ReadFault } from "../read-fault.ts";

/** `what` is a part of the component model that the host does not know. */
export function unsupportedPart(feature: string, what: string, offset: number): ReadFault {
  return new ReadFault(
    "unsupported_feature",
    `it uses ${feature} (${what})`,
    "wanted a component without",
    feature,
    offset,
  );
}

/** Async functions, streams and futures: components of WASI 0.3. */
export function asyncModel(what: string, offset: number): ReadFault {
  return unsupportedPart("component-model-async", what, offset);
}

// Instantiates a metered module for a test, with a check whose answers the test decides.

import { inspectModule } from "../../../host/wasm/inspect.ts";
import { meter } from "./counting.ts";

export type Exports = Record<string, (...values: unknown[]) => unknown>;

/** The metered module's exports; `answer` is what the check says each time. */
export function start(
  bytes: Uint8Array,
  answer: (check: number) => number,
  imports: WebAssembly.Imports = {},
): Exports {
  let checks = 0;
  const check = (): number => {
    checks += 1;
    return answer(checks);
  };
  const memory = new WebAssembly.Memory({
    initial: inspectModule(bytes, { metered: true }).memories[0]?.initialPages ?? 0,
    maximum: 2048,
  });
  const host = { check, pause: goOn, turn: goOn, grow: () => 1, memory };
  const compiled = new WebAssembly.Module(meter(bytes));
  return new WebAssembly.Instance(compiled, { ...imports, "mayfly:host": host }).exports as Exports;
}

export const goOn = (): number => 0;
export const stopAt = (last: number) => (check: number) => (check >= last ? 1 : 0);

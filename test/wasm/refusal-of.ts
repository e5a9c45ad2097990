// The refusal that an upload gets, for the tests of `host/wasm/`; an upload that gets none is a failure.

import assert from "node:assert/strict";
import { inspectModule, WasmRefusal } from "../../host/wasm/inspect.ts";

/** What `inspectModule` throws; its message has the form and the characters every refusal must have. */
export function refusalOf(bytes: Uint8Array): WasmRefusal {
  try {
    inspectModule(bytes);
  } catch (error) {
    assert(error instanceof WasmRefusal, String(error));
    assert.match(error.message, /^Cannot (read|accept) the module: [ -~]+[^.]$/);
    return error;
  }
  throw new assert.AssertionError({ message: "the module was accepted" });
}

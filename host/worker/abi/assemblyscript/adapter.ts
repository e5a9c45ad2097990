// The ABI of the AssemblyScript SDK, which any language can speak: the entry point is told how long the
// request message is, and hands over the response message by a host call (docs/abi.md).

import { entersAtOnce } from "../../at-once.ts";
import type { CallState } from "../../call-state.ts";
import { failure } from "../../failure.ts";
import { promising } from "../../jspi.ts";
import type { Adapter, Entry, GuestExport } from "../adapter.ts";

export const assemblyScript: Adapter = {
  entryExport: "mayfly_handle",
  bodyCalls: [["mayfly", "body_read"]],
  initialisers: ["_initialize", "mayfly_init"],
  reusable: true,
  refusal({ exports }) {
    const entry = exports.find(({ name }) => name === assemblyScript.entryExport);
    const { params = [], results = [] } = entry?.type ?? {};
    const isRight = entry?.kind === "function" && params.join() === "i32" && results.length === 0;
    return isRight ? null : `"${assemblyScript.entryExport}" is no function of type (i32) -> ()`;
  },
  entry: (exported) => new HandleEntry(exported),
  finish(state) {
    if (state.hasAnswered) return null;
    const { exitCode } = state;
    if (exitCode === null) {
      const what = state.writer === null ? "gave no answer" : "did not end its answer";
      return { code: "bad_guest_output", detail: `The function ${what}` };
    }
    const fault = state.fail("program_failed", `the function ended itself with exit code ${exitCode}`);
    return failure(fault, state, null);
  },
};

class HandleEntry implements Entry {
  readonly #handle: (requestBytes: number) => void;
  #suspendable: ((requestBytes: number) => Promise<void>) | null = null;

  constructor(exported: GuestExport) {
    this.#handle = exported as (requestBytes: number) => void;
  }

  run({ message }: CallState): Promise<void> {
    this.#suspendable ??= promising(this.#handle);
    return this.#suspendable(message.byteLength);
  }

  runAtOnce({ message }: CallState): boolean {
    return entersAtOnce(this.#handle, message.byteLength);
  }
}

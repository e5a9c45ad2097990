// Programs built for WASI preview 1 (`_start`), run as CGI has it: one run per request, the request in the
// environment and on stdin, the answer on stdout (docs/languages.md).

import { encodeResponse } from "../../../messages.ts";
import { startsAtOnce } from "../../at-once.ts";
import type { CallState } from "../../call-state.ts";
import { type Failure, failure } from "../../failure.ts";
import { promising } from "../../jspi.ts";
import type { Adapter, Entry, GuestExport } from "../adapter.ts";
import { readCgiResponse } from "./cgi-response.ts";

/** By which a guest of the other ABI reads its request and answers. */
const messageCalls = new Set(["request_read", "response_write"]);

export const wasi: Adapter = {
  entryExport: "_start",
  initialisers: [],
  reusable: false,
  refusal({ imports, exports }) {
    const entry = exports.find(({ name }) => name === wasi.entryExport);
    const { params = [], results = [] } = entry?.type ?? {};
    if (entry?.kind !== "function" || params.length > 0 || results.length > 0) {
      return `"${wasi.entryExport}" is no function of type () -> ()`;
    }
    const other = imports.find(({ module, name }) => module === "mayfly" && messageCalls.has(name));
    return other ? `a program answers on its stdout, and may not import "mayfly" "${other.name}"` : null;
  },
  entry: (exported) => new StartEntry(exported),
  finish,
};

function finish(state: CallState): Failure | null {
  const { exitCode, program, log } = state;
  const response = readCgiResponse(program?.output.bytes ?? new Uint8Array(0));
  if ("code" in response) {
    const fault =
      exitCode === null || exitCode === 0
        ? state.fail(response.code, response.reason)
        : state.fail("program_failed", `exit code ${exitCode}, and ${response.reason}`);
    return failure(fault, state, null);
  }
  if (exitCode !== null && exitCode !== 0) {
    log.writeOwn("warn", `exit code ${exitCode} after the answer had begun`);
  }
  const { status, headers, body } = response;
  const answer = encodeResponse(status, headers, body);
  const { answerRoom } = state;
  if (answerRoom === null || answer.byteLength > answerRoom.byteLength) state.answer = answer;
  else {
    answerRoom.set(answer);
    state.answer = answerRoom.subarray(0, answer.byteLength);
  }
  return null;
}

class StartEntry implements Entry {
  readonly #start: () => void;
  #suspendable: (() => Promise<void>) | null = null;

  constructor(exported: GuestExport) {
    this.#start = exported as () => void;
  }

  run(): Promise<void> {
    this.#suspendable ??= promising(this.#start);
    return this.#suspendable();
  }

  runAtOnce(): boolean {
    return startsAtOnce(this.#start);
  }
}

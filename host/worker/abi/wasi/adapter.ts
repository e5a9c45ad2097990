// Programs built for WASI preview 1 (`_start`), run as CGI has it: one run per request, the request in the
// environment and on stdin, the answer on stdout (docs/languages.md).

import { encodeResponse } from "../../../messages.ts";
import { startsAtOnce } from "../../at-once.ts";
import type { CallState } from "../../call-state.ts";
import { type Failure, failure } from "../../failure.ts";
import { promising } from "../../jspi.ts";
import type { ResponseWriter } from "../../response-writer.ts";
import type { Adapter, Entry, GuestExport } from "../adapter.ts";
import { readCgiResponse } from "./cgi-response.ts";
import { preview1Module } from "./preview1.ts";

/** By which a guest of the other ABI reads its request and answers. */
const messageCalls = new Set([
  "request_read",
  "response_write",
  "response_begin",
  "response_push",
  "response_end",
]);

export const wasi: Adapter = {
  entryExport: "_start",
  bodyCalls: [
    [preview1Module, "fd_read"],
    ["mayfly", "body_read"],
  ],
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
  if (program !== null && program.output.writer !== null) return finishBegun(state, program.output.writer);
  const response = program?.output.response() ?? readCgiResponse(new Uint8Array(0));
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

/** Of an answer that goes out as it is written. */
function finishBegun(state: CallState, { isSent }: ResponseWriter): Failure | null {
  const { exitCode, log } = state;
  if (exitCode !== null && exitCode !== 0) {
    const found = `exit code ${exitCode} after the answer had begun`;
    if (isSent) return failure(state.fail("program_failed", found), state, null);
    log.writeOwn("warn", found);
  }
  state.endAnswer();
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

// What ended a call that did not go well, in words: for the caller, who is told little, and for the
// function's own log, which gets the reason and the guest's frames.

import type { CallResult, GuestFaultCode } from "../invocation.ts";
import { printable } from "../printable.ts";
import type { CallState } from "./call-state.ts";
import { GuestFault } from "./guest-memory.ts";

export type Failure = Pick<Extract<CallResult, { kind: "failed" }>, "code" | "detail">;

/** Whose bound refused a guest to grow its memory: that of the memory, or the host's room for all of them. */
export type GrowRefusal = "maximum" | "host";

/** What the caller is told of a call that found no room for its memory. */
export const noMemoryRoom: Failure = {
  code: "overloaded",
  detail: "the host has no room for the memory of further calls",
};

/** What the caller is told of a guest that broke the rules, or ended without an answer. */
const faultDetails: Readonly<Record<Exclude<GuestFaultCode, "guest_trapped">, string>> = {
  bad_guest_output: "The function broke the rules of the ABI; its log has the reason",
  program_failed: "The program failed; its log has the exit code",
  no_cgi_headers: "The program ended without a header block on its stdout",
  body_too_large: "The request's body is too large for the function to read it whole",
  overloaded: "the host has no room for the body of the request",
  bad_cgi_headers: "The program's header block breaks the rules of CGI; its log names the line",
};

/** Names what ended a call, and writes the reason to the function's own log. */
export function failure(error: unknown, state: CallState, growRefusal: GrowRefusal | null): Failure {
  const cause = state.fault ?? error;
  if (cause instanceof GuestFault && cause.code !== "guest_trapped") {
    const { code, message } = cause;
    state.log.writeOwn("error", code === "bad_guest_output" ? `bad output: ${message}` : message);
    return { code, detail: faultDetails[code] };
  }
  state.log.writeOwn("error", trapText(cause) + guestStack(error));
  if (growRefusal === "host") return noMemoryRoom;
  if (growRefusal === "maximum") {
    return { code: "memory_exceeded", detail: "The function trapped after its memory limit refused to grow" };
  }
  return { code: "guest_trapped", detail: "The function trapped; its log has the reason" };
}

/** One line on what ended the guest. */
export function trapText(cause: unknown): string {
  if (cause instanceof GuestFault) return cause.message;
  if (cause instanceof RangeError && /call stack/i.test(cause.message)) return "trap: stack overflow";
  if (cause instanceof WebAssembly.Exception) return "trap: uncaught exception";
  if (cause instanceof Error) return `trap: ${cause.message}`;
  return "trap: uncaught exception";
}

/** The guest's frames of an error's stack, none of the host's. Function names are the guest's text. */
function guestStack(error: unknown): string {
  if (!(error instanceof Error) || typeof error.stack !== "string") return "";
  const frames = error.stack
    .split("\n")
    .map((line) => /^\s+at (?:(.{0,200}?) \()?wasm:\/\/\S*?(wasm-function\[\d+\]:0x[0-9a-f]+)\)?$/.exec(line))
    .filter((match) => match !== null)
    .slice(0, 16)
    // Without a name section there is a place alone.
    .map(([, name, place]) => `\n    at ${name === undefined ? place : `${printable(name)} (${place})`}`);
  return frames.join("");
}

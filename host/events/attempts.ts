// One attempt to have a function do something for the event queue: a call without the network, and what
// becomes of its failure.

import { HostError } from "../errors.ts";
import type { GuestResponse } from "../http/guest-response.ts";
import type { InternalCall, InternalCalls } from "../http/internal-calls.ts";
import { qualifiedName } from "../namespace.ts";
import type { LogStore } from "../observe/log-store.ts";
import { AttemptFailure } from "./dispatcher.ts";

export type AttemptParts = {
  readonly internalCalls: Pick<InternalCalls, "answer">;
  readonly logs: Pick<LogStore, "read">;
};

/** Of the attempt that failed last, kept with the event. */
const linesMax = 20;
/** Lines of the function's log among which they are looked for: others have been written since. */
const linesRead = 500;
/** Of what a function says in an answer that is no success. */
const shownMax = 200;

/** The host had no room: no fault of the function or the event. */
const noRoom: ReadonlySet<string> = new Set([
  "overloaded",
  "concurrency_limited",
  "rate_limited",
  "quota_exceeded",
]);

/** The function's answer, if its status is a good one; else rejects with AttemptFailure. */
export async function attemptCall(
  { internalCalls, logs }: AttemptParts,
  call: Omit<InternalCall, "callers" | "timeoutMs" | "signal">,
  isGood: (status: number) => boolean,
): Promise<GuestResponse> {
  const { name, namespace, requestId } = call;
  const never = new AbortController().signal;
  const linesOf = async (): Promise<string[]> => {
    const lines = await logs.read(qualifiedName(name, namespace), linesRead);
    return lines
      .filter((line) => line.requestId === requestId)
      .slice(-linesMax)
      .map(({ level, message }) => `${level} ${message}`);
  };
  let answer: GuestResponse;
  try {
    const timeoutMs = Number.POSITIVE_INFINITY;
    answer = await internalCalls.answer({ ...call, callers: [], timeoutMs, signal: never });
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    const counts = !noRoom.has(error.code);
    const fault = { code: error.code, message: error.message, lines: counts ? await linesOf() : [] };
    throw new AttemptFailure(fault, { counts });
  }
  if (isGood(answer.status)) return answer;
  const said = Buffer.from(answer.body ?? []).toString("utf8", 0, shownMax);
  const message = `The function "${name}" answered ${answer.status}${said === "" ? "" : `: ${said}`}`;
  const fault = { code: "refused", message, lines: await linesOf() };
  throw new AttemptFailure(fault, { restMs: retryAfterMs(answer.headers, Date.now()) });
}

/** What Retry-After asks for (RFC 9110, section 10.2.3), 0 where it asks for nothing. */
export function retryAfterMs(headers: readonly string[], nowMs: number): number {
  const at = headers.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === "retry-after");
  const text = at === -1 ? "" : (headers[at + 1] ?? "").trim();
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000;
  // A date; what is none is nothing.
  const ms = /^[A-Z][a-z]{2}, /.test(text) ? Date.parse(text) - nowMs : 0;
  return Number.isFinite(ms) ? Math.max(ms, 0) : 0;
}

// One attempt to deliver an event: a POST to its function in the binary mode of CloudEvents' HTTP binding,
// without the network. An answer of 200 to 299 takes it off the queue.

import { randomUUID } from "node:crypto";
import { HostError } from "../errors.ts";
import type { HostEvent } from "../event.ts";
import type { GuestResponse } from "../http/guest-response.ts";
import type { InternalCalls } from "../http/internal-calls.ts";
import type { LogStore } from "../observe/log-store.ts";
import { deliveryHeaders } from "./cloud-events.ts";
import { AttemptFailure, type DispatcherParts } from "./dispatcher.ts";

export type DeliveryParts = {
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
const noRoom: ReadonlySet<string> = new Set(["overloaded", "concurrency_limited"]);

export function deliveryAttempt({ internalCalls, logs }: DeliveryParts): DispatcherParts["attempt"] {
  const never = new AbortController().signal;
  return async ({ function: name, event }, { settings }, attempt) => {
    const requestId = randomUUID();
    let answer: GuestResponse;
    try {
      answer = await internalCalls.answer({
        name,
        method: "POST",
        url: `http://${name}.mayfly.internal${settings.path}`,
        ...pathAndQuery(settings.path),
        headers: headersOf(name, event, attempt),
        body: event.data,
        requestId,
        depth: event.depth,
        callers: [],
        timeoutMs: Number.POSITIVE_INFINITY,
        signal: never,
      });
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      const lines = noRoom.has(error.code) ? [] : await linesOf(name, requestId);
      throw new AttemptFailure({ code: error.code, message: error.message, lines }, !noRoom.has(error.code));
    }
    if (answer.status >= 200 && answer.status <= 299) return;
    const said = Buffer.from(answer.body ?? []).toString("utf8", 0, shownMax);
    const message = `The function "${name}" answered ${answer.status}${said === "" ? "" : `: ${said}`}`;
    throw new AttemptFailure({ code: "refused", message, lines: await linesOf(name, requestId) }, true);
  };

  async function linesOf(name: string, requestId: string): Promise<string[]> {
    const lines = await logs.read(name, linesRead);
    return lines
      .filter((line) => line.requestId === requestId)
      .slice(-linesMax)
      .map(({ level, message }) => `${level} ${message}`);
  }
}

function headersOf(name: string, event: HostEvent, attempt: number): string[] {
  const own = ["host", `${name}.mayfly.internal`, "x-mayfly-event-attempt", String(attempt)];
  return [...own, ...deliveryHeaders(event)];
}

function pathAndQuery(target: string): { path: string; query: string } {
  const mark = target.indexOf("?");
  return mark === -1
    ? { path: target, query: "" }
    : { path: target.slice(0, mark), query: target.slice(mark + 1) };
}

// Calls between functions: what a function asks of another one takes the way of an HTTP request without
// the network, and its answer, errors included, is the one an HTTP client would get.

import { aliasOfCall, type CallKind } from "../ended-call.ts";
import { CallAbandoned, type CallOutcome, HostError } from "../errors.ts";
import { type Deployment, functionName } from "../function.ts";
import type { Timings } from "../invocation.ts";
import type { InvokeAnswer } from "../invoke/invoker.ts";
import { encodeRequest, encodeResponse } from "../messages.ts";
import { qualifiedName } from "../namespace.ts";
import { callHeaders, readAnswer } from "./call-answer.ts";
import { problemOf } from "./error-response.ts";
import type { GuestResponse } from "./guest-response.ts";
import { type InvokeRouteParts, timingsIn } from "./invoke-routes.ts";

export type InternalCall = {
  /** Of a function in `namespace`, which is the caller's own. */
  readonly name: string;
  readonly namespace: string;
  readonly kind: Exclude<CallKind, "http">;
  /** The asynchronous call that it is an attempt at. */
  readonly invocationId?: string;
  /** The version that it pins; the live one unless given. */
  readonly pin?: string | null;
  readonly remoteAddress?: string;
  readonly method: string;
  readonly url: string;
  readonly path: string;
  readonly query: string;
  /** Names and values alternate. */
  readonly headers: readonly string[];
  readonly body: Uint8Array;
  /** The caller's: the log lines of both are found by it. */
  readonly requestId: string;
  /** How many calls of functions led here. */
  readonly depth: number;
  /** The functions whose calls led here without leaving the host. */
  readonly callers: readonly string[];
  /** What is left of the caller's time. */
  readonly timeoutMs: number;
  /** The caller waits no more. */
  readonly signal: AbortSignal;
};

export class InternalCalls {
  readonly #parts: InvokeRouteParts;

  constructor(parts: InvokeRouteParts) {
    this.#parts = parts;
  }

  /** The response message; rejects with CallAbandoned when the caller waits no more. */
  async call(call: InternalCall): Promise<Uint8Array<ArrayBuffer>> {
    const { requestId } = call;
    let deployment: Deployment | null = null;
    try {
      const { guest, timings } = await this.#run(call, (routed) => {
        deployment = routed;
      });
      const headers = [...guest.headers, ...callHeaders(requestId, deployment, timings)];
      return encodeResponse(guest.status, headers, guest.body ?? new Uint8Array(0));
    } catch (error) {
      if (error instanceof CallAbandoned) throw error;
      const problem = problemOf(error, requestId, (fault) => this.#parts.onFault(fault, requestId));
      const timings = timingsIn(error);
      const headers = [...callHeaders(requestId, deployment, timings), ...problem.headers.flat()];
      return encodeResponse(problem.status, headers, Buffer.from(problem.body));
    }
  }

  /** The function's own answer; rejects with HostError where HTTP would have the host's, or CallAbandoned. */
  async answer(call: InternalCall): Promise<GuestResponse> {
    return (await this.#run(call, () => {})).guest;
  }

  async #run(
    call: InternalCall,
    onRouted: (deployment: Deployment) => void,
  ): Promise<{ guest: GuestResponse; timings: Timings }> {
    const { requestId, method } = call;
    const startMs = performance.now();
    let deployment: Deployment | null = null;
    let outcome: CallOutcome = "ok";
    let timings: Timings = {};
    let status = 0;
    let bytesOut = 0;
    const headers = headersByName(call.headers);
    const trace = this.#parts.traces.of(headers["traceparent"], headers["tracestate"]);
    try {
      using share = this.#parts.bodies.share();
      share.add(call.body.byteLength);
      const name = qualifiedName(functionName(call.name), call.namespace);
      deployment = this.#parts.route(name, call.pin ?? null, headers);
      using _hold = this.#parts.hold(deployment);
      onRouted(deployment);
      if (!this.#parts.gate.isOpen(deployment)) this.#parts.gate.takeRates(deployment);
      const answer = await this.#parts.invoke({
        deployment,
        requestId,
        message: encodeRequest({ ...call, remoteAddress: call.remoteAddress ?? "" }, call.body),
        depth: call.depth,
        callers: call.callers,
        timeoutMs: call.timeoutMs,
        watchGone: (onGone) => watchAborted(call.signal, onGone),
        trace,
      });
      timings = answer.timings;
      const guest = readAnswer(this.#parts, wholeAnswer(answer), { method, deployment, requestId });
      status = guest.status;
      bytesOut = guest.body?.byteLength ?? 0;
      share.add(bytesOut);
      return { guest, timings };
    } catch (error) {
      outcome = "internal";
      timings = timingsIn(error);
      if (error instanceof CallAbandoned) outcome = "client_gone";
      else if (error instanceof HostError) {
        outcome = error.code;
        status = error.status;
      }
      throw error;
    } finally {
      this.#parts.onEnd({
        requestId,
        invocationId: call.invocationId ?? null,
        kind: call.kind,
        deployment,
        functionName: call.name,
        alias: aliasOfCall(deployment, call.pin ?? null),
        outcome,
        status,
        startMs,
        wallMs: performance.now() - startMs,
        timings,
        bytesIn: call.body.byteLength,
        bytesOut,
        trace,
      });
    }
  }
}

/** As Node has those of a request; of several with a name the first. */
function headersByName(headers: readonly string[]): Record<string, string> {
  const byName: Record<string, string> = {};
  for (let index = headers.length - 2; index >= 0; index -= 2) {
    byName[(headers[index] ?? "").toLowerCase()] = headers[index + 1] ?? "";
  }
  return byName;
}

function watchAborted(signal: AbortSignal, onGone: () => void): Disposable {
  if (signal.aborted) onGone();
  else signal.addEventListener("abort", onGone);
  return { [Symbol.dispose]: () => signal.removeEventListener("abort", onGone) };
}

/** Nobody here takes an answer in pieces, so it has been joined. */
function wholeAnswer({ message, timings }: InvokeAnswer): { message: Uint8Array; timings: Timings } {
  if (message === null) throw new Error("An answer that was to be whole went out in pieces");
  return { message, timings };
}

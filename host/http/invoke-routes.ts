// The data plane: from a raw HTTP request for a function to its raw answer. It works on Node's own
// request and response, because the guest gets the target and the headers as they were sent, and
// because this is the path whose price the project exists for (docs/decisions).

import type { IncomingMessage, ServerResponse } from "node:http";
import { performance } from "node:perf_hooks";
import type { Gate, Pass } from "../access/gate.ts";
import type { AsyncRequest } from "../async-call.ts";
import { aliasOfCall, type EndedCall } from "../ended-call.ts";
import { CallAbandoned, type CallOutcome, HostError } from "../errors.ts";
import type { Deployment } from "../function.ts";
import type { Timings } from "../invocation.ts";
import { InvokeAbandoned, type InvokeAnswer, InvokeError, type InvokeRequest } from "../invoke/invoker.ts";
import type { ModuleLoad } from "../invoke/modules.ts";
import type { CallHeaders } from "../invoke/split.ts";
import type { AnswerSink, AnswerStart } from "../invoke/streamed-call.ts";
import { encodeRequest } from "../messages.ts";
import { namespaceOf, prefixOf } from "../namespace.ts";
import type { Trace, Traces } from "../trace-context.ts";
import { AnswerBatch } from "./answer-batch.ts";
import { AnswerBytes } from "./answer-bytes.ts";
import { bearerOf } from "./bearer.ts";
import type { BodyBudget, BodyShare } from "./body-budget.ts";
import { invokeBody } from "./body-bytes.ts";
import { type AnswerParts, callHeaders, readAnswer } from "./call-answer.ts";
import { problemOf, writeProblem } from "./error-response.ts";
import { GoneClients } from "./gone-clients.ts";
import { type GuestResponse, readGuestResponse } from "./guest-response.ts";
import { depthOf, requestHeaders, tokenHeader, withoutHeader } from "./headers.ts";
import { ClientGone, hasBody, readBody } from "./request-body.ts";
import { newRequestId } from "./request-id.ts";
import { asyncRequest, prefersAsync, sendAccepted } from "./respond-async.ts";
import { joinedBytesMax, sendWhole } from "./send-whole.ts";
import { StreamedAnswer } from "./streamed-answer.ts";
import { isLong, StreamedBody } from "./streamed-body.ts";
import type { FunctionTarget } from "./target.ts";
import type { ViaRoute } from "./via-route.ts";

export type InvokeRouteParts = {
  /** The deployment that a call is for; throws `function_not_found` or `function_quarantined`. */
  readonly route: (name: string, pin: string | null, headers: CallHeaders) => Deployment;
  /** Keeps the bytes of a version where they are until it is disposed of. */
  readonly hold: (deployment: Deployment) => Disposable;
  readonly invoke: (request: InvokeRequest) => InvokeAnswer | Promise<InvokeAnswer>;
  /** The module of a deployment, which says whether it reads bodies as they come. */
  readonly load: (deployment: Deployment) => ModuleLoad | Promise<ModuleLoad>;
  readonly gate: Pick<Gate, "isOpen" | "pass" | "takeRates">;
  /** Stores a call that is to be made later; its id, once it is durable. */
  readonly later: (
    request: Omit<AsyncRequest, "id" | "function">,
    body: Uint8Array,
    deployment: Deployment,
    depth: number,
  ) => Promise<string>;
  /** Room in memory for the bodies of requests and answers. */
  readonly bodies: BodyBudget;
  /** A call has ended, however it did. */
  readonly onEnd: (call: EndedCall) => void;
  readonly traces: Pick<Traces, "of">;
  readonly onFault: (error: unknown, requestId: string) => void;
  /** `limits.writeStallTimeoutMs` unless given. */
  readonly writeStallTimeoutMs?: number;
} & AnswerParts;

/** Which request it is, and when it began to come (`performance.now`). */
type Arrival = { readonly requestId: string; readonly startMs: number };

type Exchange = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly target: FunctionTarget;
  readonly closing: () => boolean;
  readonly arrival: Arrival;
  readonly trace: Trace | null;
  /** Null until it is known. */
  deployment: Deployment | null;
  /** The route that it came by. */
  readonly via: ViaRoute | undefined;
  /** Of the request's body, once it is there. */
  bytesIn: number;
  /** A body that comes while its guest runs. */
  source: StreamedBody | null;
  /** How it has passed the gate; null where there was nothing to pass. */
  pass: Pass | null;
  /** An answer that goes out as it comes; null until one does. */
  streamed: StreamedAnswer | null;
};

/** A request's body: bytes, or where they come from, with the module that was looked at for it. */
type RequestBody = {
  readonly bytes: Uint8Array;
  readonly source?: StreamedBody;
  readonly load?: ModuleLoad | undefined;
};

/** What came of it: the status of the answer, 0 for none, and the bytes of its guest's body. */
type Answered = { readonly timings: Timings; readonly status: number; readonly bytes: number };

const noBody = new Uint8Array(0);

export class InvokeRoutes {
  readonly #parts: InvokeRouteParts;
  readonly #answers: AnswerBytes;
  readonly #batch = new AnswerBatch();
  readonly #gone = new GoneClients();

  constructor(parts: InvokeRouteParts) {
    this.#parts = parts;
    this.#answers = new AnswerBytes(parts.bodies);
  }

  /** Answers one request. `closing` tells whether the connection is to end with the answer. */
  handle(
    request: IncomingMessage,
    response: ServerResponse,
    target: FunctionTarget,
    closing: () => boolean,
  ): void {
    const arrival: Arrival = { requestId: newRequestId(), startMs: performance.now() };
    const { via } = target;
    const { traceparent, tracestate } = request.headers;
    const exchange: Exchange = {
      request,
      response,
      target,
      closing,
      arrival,
      trace: this.#parts.traces.of(traceparent, tracestate),
      via,
      deployment: null,
      bytesIn: 0,
      source: null,
      pass: null,
      streamed: null,
    };
    let answer: InvokeAnswer | Promise<InvokeAnswer>;
    try {
      const deployment = this.#parts.route(target.name, target.pin, request.headers);
      exchange.deployment = deployment;
      const { gate } = this.#parts;
      if (!gate.isOpen(deployment)) exchange.pass = gate.pass(deployment, bearerOf(request.rawHeaders));
      if (prefersAsync(request.headers["prefer"])) {
        this.#later(exchange, deployment).catch((error: unknown) => this.#refuse(exchange, error));
        return;
      }
      const kept = via?.kept(deployment) ?? null;
      if (kept !== null) return this.#send(exchange, deployment, kept, {});
      answer = this.#invoke(exchange, deployment);
    } catch (error) {
      this.#refuse(exchange, error);
      return;
    }
    // Most calls have ended by now: no promise is made for those.
    if (!(answer instanceof Promise)) this.#reply(exchange, answer);
    else this.#replyLater(exchange, answer, this.#parts.hold(exchange.deployment));
  }

  /** The call may have its module to load yet. */
  #replyLater(exchange: Exchange, answer: Promise<InvokeAnswer>, hold: Disposable): void {
    answer
      .finally(() => hold[Symbol.dispose]())
      .then(
        (late) => this.#reply(exchange, late),
        (error: unknown) => this.#refuse(exchange, error),
      );
  }

  async #later(exchange: Exchange, deployment: Deployment): Promise<void> {
    const { request, response, target, closing } = exchange;
    using share = this.#parts.bodies.share();
    const body = hasBody(request) ? await this.#body(request, deployment, share) : noBody;
    const depth = depthOf(request.headers["x-mayfly-depth"]);
    const id = await this.#parts.later(
      asyncRequest(request, target, sentHeaders(exchange)),
      body,
      deployment,
      depth,
    );
    if (closing()) response.shouldKeepAlive = false;
    const location = `${prefixOf(namespaceOf(deployment.name))}/invocations/${id}`;
    sendAccepted(response, id, location, headersOf(exchange, deployment, {}));
  }

  #reply(exchange: Exchange, answer: InvokeAnswer): void {
    const { request, arrival, via } = exchange;
    const deployment = exchange.deployment as Deployment;
    const { message, timings } = answer;
    if (message === null) return this.#replied(exchange, deployment, timings);
    let guest: GuestResponse;
    try {
      const { method = "GET" } = request;
      const whole = { message, timings };
      guest = readAnswer(this.#parts, whole, { method, deployment, requestId: arrival.requestId });
      this.#send(exchange, deployment, via?.answered(deployment, guest) ?? guest, timings);
    } catch (error) {
      this.#refuse(exchange, error);
      return;
    }
    const { status, body } = guest;
    this.#ended(exchange, "ok", { timings, status, bytes: body?.byteLength ?? 0 });
  }

  /** Writes a whole answer; throws `overloaded`. */
  #send(exchange: Exchange, deployment: Deployment, answer: GuestResponse, timings: Timings): void {
    const { request, response, closing, arrival } = exchange;
    const bytes = answer.body?.byteLength ?? 0;
    this.#answers.hold(request.socket, response, bytes);
    const headers = headersOf(exchange, deployment, timings);
    this.#batch.add(() => {
      if (closing()) response.shouldKeepAlive = false;
      sendWhole(response, answer, headers);
    });
    if (bytes > joinedBytesMax) this.#cutLate(response, deployment, arrival);
  }

  /** The last bytes of an answer that went out as it came have been written. */
  #replied(exchange: Exchange, deployment: Deployment, timings: Timings): void {
    const { response, streamed, arrival } = exchange;
    streamed?.end();
    this.#cutLate(response, deployment, arrival);
    this.#ended(exchange, "ok", { timings, status: response.statusCode, bytes: streamed?.bytes ?? 0 });
  }

  #ended(exchange: Exchange, outcome: CallOutcome, { timings, status, bytes }: Answered): void {
    const { request, target, arrival, deployment, trace, bytesIn, source } = exchange;
    this.#parts.onEnd({
      requestId: arrival.requestId,
      invocationId: null,
      kind: "http",
      deployment,
      functionName: target.name,
      alias: aliasOfCall(deployment, target.pin),
      outcome,
      status,
      startMs: arrival.startMs,
      wallMs: performance.now() - arrival.startMs,
      timings,
      bytesIn: source?.bytes ?? bytesIn,
      bytesOut: request.method === "HEAD" ? 0 : bytes,
      trace,
    });
  }

  /** Begins an answer that goes out as it comes; throws `bad_guest_output`. */
  #begin(exchange: Exchange, deployment: Deployment, { head, timings }: AnswerStart): AnswerSink {
    const { request, response, closing, via } = exchange;
    const { method = "GET", socket } = request;
    const own = readGuestResponse(head, method);
    const guest = via?.streamed(own) ?? own;
    if (closing()) response.shouldKeepAlive = false;
    const share = this.#parts.bodies.share();
    socket.once("close", share[Symbol.dispose]);
    response.once("finish", () => socket.off("close", share[Symbol.dispose]));
    const { writeStallTimeoutMs } = this.#parts;
    exchange.streamed = new StreamedAnswer({
      request,
      response,
      guest,
      headers: headersOf(exchange, deployment, timings),
      share,
      ...(writeStallTimeoutMs && { stallTimeoutMs: writeStallTimeoutMs }),
    });
    return exchange.streamed;
  }

  #refuse(exchange: Exchange, error: unknown): void {
    const { request, response, closing, arrival, deployment, via, streamed } = exchange;
    const outcome = outcomeOf(error);
    if (outcome === null) return;
    const timings = timingsIn(error);
    const bytes = streamed?.bytes ?? 0;
    // Nobody is left to answer.
    if (outcome === "client_gone") return this.#ended(exchange, outcome, { timings, status: 0, bytes });
    const { requestId } = arrival;
    const problem = problemOf(error, requestId, (fault) => this.#parts.onFault(fault, requestId));
    const status = streamed === null ? problem.status : response.statusCode;
    this.#ended(exchange, outcome, { timings, status, bytes });
    if (streamed !== null) return streamed.cut();
    if (closing()) response.shouldKeepAlive = false;
    const headers = headersOf(exchange, deployment, timings);
    writeProblem(
      request,
      response,
      problem,
      via === undefined ? headers : [...headers, ...via.failureHeaders],
    );
  }

  #invoke(exchange: Exchange, deployment: Deployment): InvokeAnswer | Promise<InvokeAnswer> {
    if (!hasBody(exchange.request)) return this.#call(exchange, deployment, { bytes: noBody });
    return this.#invokeWithBody(exchange, deployment);
  }

  async #invokeWithBody(exchange: Exchange, deployment: Deployment): Promise<InvokeAnswer> {
    const { request } = exchange;
    using share = this.#parts.bodies.share();
    const load = isLong(request) ? await this.#parts.load(deployment) : undefined;
    if (load?.loaded.readsBody === true) {
      using source = new StreamedBody(request, share);
      exchange.source = source;
      return await this.#call(exchange, deployment, { bytes: noBody, source, load });
    }
    const bytes = await this.#body(request, deployment, share);
    exchange.bytesIn = bytes.byteLength;
    return await this.#call(exchange, deployment, { bytes, load });
  }

  #body(request: IncomingMessage, { name, config }: Deployment, share: BodyShare): Promise<Uint8Array> {
    return readBody(request, invokeBody, share, {
      afterMs: config.timeoutMs,
      error: () =>
        new HostError(
          "deadline_exceeded",
          `The request for "${name}" had not come whole within its limit of ${config.timeoutMs} ms`,
        ),
    });
  }

  /** The call's time includes that of its answer's way out: a reader who takes longer is cut off. */
  #cutLate(response: ServerResponse, deployment: Deployment, { requestId, startMs }: Arrival): void {
    const { timeoutMs } = deployment.config;
    const timer = setTimeout(
      () => {
        // One that was still queued when its connection went is told nothing of it.
        if (response.socket === null || response.socket.destroyed) return;
        this.#parts.onGuestFault(
          deployment,
          requestId,
          `cut off: the answer was not taken within ${timeoutMs} ms`,
        );
        response.destroy();
      },
      Math.max(0, startMs + timeoutMs - performance.now()),
    );
    timer.unref();
    response.once("close", () => clearTimeout(timer));
  }

  #call(
    exchange: Exchange,
    deployment: Deployment,
    { bytes, source, load }: RequestBody,
  ): InvokeAnswer | Promise<InvokeAnswer> {
    const { request, target, arrival, trace } = exchange;
    const { requestId, startMs } = arrival;
    const { method = "GET", url = "/", socket } = request;
    const host = request.headers.host ?? "";
    const message = encodeRequest(
      {
        method,
        url: url.startsWith("/") ? `http://${host}${url}` : url,
        path: target.path,
        query: target.query,
        remoteAddress: socket.remoteAddress ?? "",
        headers: sentHeaders(exchange),
      },
      bytes,
    );
    const watchGone = (onGone: () => void): Disposable => this.#gone.watch(socket, onGone);
    return this.#parts.invoke({
      deployment,
      requestId,
      message,
      watchGone,
      body: source,
      load,
      onAnswer: (start) => this.#begin(exchange, deployment, start),
      // A request without a body has come whole.
      elapsedMs: bytes === noBody && source === undefined ? 0 : performance.now() - startMs,
      depth: depthOf(request.headers["x-mayfly-depth"]),
      trace,
    });
  }
}

/** What took place of a call that failed so. */
export function timingsIn(error: unknown): Timings {
  return error instanceof InvokeError || error instanceof InvokeAbandoned ? error.timings : {};
}

/** The headers by which the host speaks of a call and of its rates. */
function headersOf({ arrival, pass }: Exchange, deployment: Deployment | null, timings: Timings): string[] {
  const headers = callHeaders(arrival.requestId, deployment, timings);
  return pass === null ? headers : [...headers, ...pass.headers];
}

/** What the function is told of the request's headers. */
function sentHeaders({ request, via, pass }: Exchange): string[] {
  const sent = via?.requestHeaders ?? requestHeaders(request.rawHeaders);
  return pass?.usedToken === true ? withoutHeader(sent, tokenHeader) : sent;
}

/** How a call went that ended so; null when there was none: nothing is answered and nothing counted. */
function outcomeOf(error: unknown): CallOutcome | null {
  if (error instanceof ClientGone) return null;
  if (error instanceof CallAbandoned) return "client_gone";
  return error instanceof HostError ? error.code : "internal";
}

// The data plane: from a raw HTTP request for a function to its raw answer. It works on Node's own
// request and response, because the guest gets the target and the headers as they were sent, and
// because this is the path whose price the project exists for (docs/decisions).

import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type ErrorCode, HostError } from "../errors.ts";
import type { Deployment } from "../function.ts";
import type { Timings } from "../invocation.ts";
import { type InvokeAnswer, InvokeError, type InvokeRequest } from "../invoke/invoker.ts";
import { limits } from "../limits.ts";
import { encodeRequest } from "../messages.ts";
import { problemOf, writeProblem } from "./error-response.ts";
import { type GuestResponse, readGuestResponse } from "./guest-response.ts";
import { requestHeaders } from "./headers.ts";
import { ClientGone, hasBody, invokeBody, readBody } from "./request-body.ts";
import type { FunctionTarget } from "./target.ts";

export type InvokeRouteParts = {
  /** The deployment of a name and pin; throws `function_not_found` or `function_quarantined`. */
  readonly route: (name: string, pin: string | null) => Deployment;
  readonly invoke: (request: InvokeRequest) => Promise<InvokeAnswer>;
  /** Room in memory for request bodies. */
  readonly bodies: BodyBudget;
  readonly onOutcome: (deployment: Deployment | null, outcome: "ok" | ErrorCode, ms: number) => void;
  readonly onFault: (error: unknown, requestId: string) => void;
  /** A guest's fault that was found on this side goes to its log. */
  readonly onGuestFault: (deployment: Deployment, requestId: string, reason: string) => void;
};

/** Counts the bytes of request bodies that are in memory. */
export class BodyBudget {
  #held = 0;
  readonly #bytesMax: number;

  constructor(bytesMax: number = limits.bodyBytesHeldMax) {
    this.#bytesMax = bytesMax;
  }

  hold(bytes: number): Disposable {
    if (this.#held + bytes > this.#bytesMax) {
      throw new HostError("overloaded", "Cannot take the request: too many bodies are in memory", {
        retryAfterS: 1,
      });
    }
    this.#held += bytes;
    return {
      [Symbol.dispose]: () => {
        this.#held -= bytes;
      },
    };
  }
}

const noBody = new Uint8Array(0);

export class InvokeRoutes {
  readonly #parts: InvokeRouteParts;

  constructor(parts: InvokeRouteParts) {
    this.#parts = parts;
  }

  /** Answers one request; never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse, target: FunctionTarget): Promise<void> {
    const requestId = randomUUID();
    const startMs = performance.now();
    let deployment: Deployment | null = null;
    let outcome: "ok" | ErrorCode | null = "ok";
    try {
      deployment = this.#parts.route(target.name, target.pin);
      const answer = await this.#invoke(request, target, deployment, requestId);
      const guest = this.#read(answer, request, deployment, requestId);
      send(response, guest, callHeaders(requestId, deployment, answer.timings));
    } catch (error) {
      if (error instanceof ClientGone) {
        // There was no call: nothing is answered and nothing counted.
        outcome = null;
        return;
      }
      outcome = error instanceof HostError ? error.code : "internal";
      const problem = problemOf(error, requestId, (fault) => this.#parts.onFault(fault, requestId));
      const timings = error instanceof InvokeError ? error.timings : {};
      writeProblem(request, response, problem, callHeaders(requestId, deployment, timings));
    } finally {
      if (outcome !== null) this.#parts.onOutcome(deployment, outcome, performance.now() - startMs);
    }
  }

  async #invoke(
    request: IncomingMessage,
    target: FunctionTarget,
    deployment: Deployment,
    requestId: string,
  ): Promise<InvokeAnswer> {
    if (!hasBody(request)) return this.#call(request, target, deployment, requestId, noBody);
    // A chunked body announces nothing: it holds the most it may grow to while it is read.
    const announced = request.headers["content-length"];
    const bytes =
      announced === undefined ? invokeBody.bytesMax : Math.min(Number(announced), invokeBody.bytesMax);
    using _held = this.#parts.bodies.hold(bytes);
    const body = await readBody(request, invokeBody);
    return await this.#call(request, target, deployment, requestId, body);
  }

  #call(
    request: IncomingMessage,
    target: FunctionTarget,
    deployment: Deployment,
    requestId: string,
    body: Uint8Array,
  ): Promise<InvokeAnswer> {
    const { method = "GET", url = "/", socket } = request;
    const host = request.headers.host ?? "";
    const message = encodeRequest(
      {
        method,
        url: url.startsWith("/") ? `http://${host}${url}` : url,
        path: target.path,
        query: target.query,
        remoteAddress: socket.remoteAddress ?? "",
        headers: requestHeaders(request.rawHeaders),
      },
      body,
    );
    return this.#parts.invoke({ deployment, requestId, message });
  }

  #read(
    answer: InvokeAnswer,
    request: IncomingMessage,
    deployment: Deployment,
    requestId: string,
  ): GuestResponse {
    try {
      return readGuestResponse(answer.message, request.method ?? "GET");
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      this.#parts.onGuestFault(deployment, requestId, error.message);
      throw new InvokeError(error.code, error.message, answer.timings);
    }
  }
}

const phases = ["queue", "load", "compile", "instantiate", "run", "wait"] as const;

function callHeaders(
  requestId: string,
  deployment: Deployment | null,
  timings: Timings,
): (readonly [string, string])[] {
  const headers: [string, string][] = [["x-mayfly-request-id", requestId]];
  if (deployment !== null) headers.push(["x-mayfly-version", String(deployment.version)]);
  let timing = "";
  for (const phase of phases) {
    const ms = timings[phase];
    if (ms !== undefined) timing += `${timing === "" ? "" : ", "}${phase};dur=${ms.toFixed(3)}`;
  }
  if (timing !== "") headers.push(["server-timing", timing]);
  return headers;
}

function send(
  response: ServerResponse,
  guest: GuestResponse,
  further: readonly (readonly [string, string])[],
): void {
  const headers: string[] = [];
  for (const [name, value] of guest.headers) headers.push(name, value);
  for (const [name, value] of further) headers.push(name, value);
  if (guest.contentLength !== null) headers.push("content-length", String(guest.contentLength));
  response.writeHead(guest.status, headers);
  if (guest.body === null || guest.body.byteLength === 0) {
    response.end();
    return;
  }
  response.end(guest.body);
  const { socket } = response;
  if (socket === null || socket.writableLength === 0) return;
  // The reader is slower than the answer: it may take its time, but not stand still.
  const cut = (): void => void socket.destroy();
  socket.setTimeout(limits.writeStallTimeoutMs, cut);
  response.once("close", () => {
    socket.off("timeout", cut);
    socket.setTimeout(0);
  });
}

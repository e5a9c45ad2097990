// The HTTP server: the socket's bounds, the checks that come before any routing, and the choice
// between data plane and control plane. Answers from raw requests; owns no state of functions.

import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { getRequestListener, RequestError } from "@hono/node-server";
import type { Hono } from "hono";
import { HostError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { ControlEnv } from "./app.ts";
import { problemOf, writeProblem } from "./error-response.ts";
import type { InvokeRoutes } from "./invoke-routes.ts";
import { answerRefusedRequests, methodRefusal } from "./refused-requests.ts";
import type { Routing } from "./routing.ts";
import { cutStalledReader } from "./stalled-reader.ts";
import { type FunctionTarget, functionTarget, parseTarget, type Target } from "./target.ts";

export type ServerParts = {
  readonly invokeRoutes: InvokeRoutes;
  /** None unless given. */
  readonly routing?: Pick<Routing, "take">;
  readonly app: Hono<ControlEnv>;
  readonly onFault: (error: unknown, requestId: string) => void;
  /** Whether the host ends soon: then each answer is the last on its connection. */
  readonly ending?: () => boolean;
  /** An idle connection is kept this long, and a second more; 5 s unless given. */
  readonly keepAliveTimeoutMs?: number;
  /** `limits.writeStallTimeoutMs` unless given. */
  readonly writeStallTimeoutMs?: number;
};

/** The interval at which Node looks for late clients; its default of 30 s makes the bounds idle. */
const connectionsCheckMs = 500;

export function createHttpServer(parts: ServerParts): Server {
  const { keepAliveTimeoutMs = 5_000, writeStallTimeoutMs = limits.writeStallTimeoutMs } = parts;
  const problemFor = (error: unknown) => {
    const requestId = randomUUID();
    const problem = problemOf(error, requestId, (fault) => parts.onFault(fault, requestId));
    return { problem, own: ["x-mayfly-request-id", requestId] as [string, string] };
  };
  const control = getRequestListener(parts.app.fetch, {
    overrideGlobalObjects: false,
    // A request of HTTP/1.0 may come without one; what needs the host's own name looks for it.
    hostname: "localhost",
    errorHandler: (error) => {
      const { problem, own } = problemFor(error instanceof RequestError ? noUrl(error) : error);
      return new Response(problem.body, { status: problem.status, headers: [own, ...problem.headers] });
    },
  });
  const refuse = (request: IncomingMessage, response: ServerResponse, error: unknown): void => {
    const { problem, own } = problemFor(error);
    // Where one request ends and the next begins is not sure after a malformed one.
    if (error instanceof HostError && error.code === "bad_request") response.shouldKeepAlive = false;
    writeProblem(request, response, problem, own);
  };
  const cutStalled = cutStalledReader(writeStallTimeoutMs);
  const closing = (): boolean => !server.listening || parts.ending?.() === true;
  const begin = (response: ServerResponse): void => {
    response.on("prefinish", cutStalled);
    if (closing()) response.shouldKeepAlive = false;
  };
  const server = createServer(
    {
      connectionsCheckingInterval: connectionsCheckMs,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      maxHeaderSize: limits.requestHeaderBytesMax,
      keepAliveTimeout: keepAliveTimeoutMs,
      // `route` looks for it, and answers with more than a status.
      requireHostHeader: false,
    },
    (request, response) => {
      begin(response);
      let target: FunctionTarget | "answered" | null;
      try {
        const asked = checkedTarget(request);
        target =
          parts.routing?.take(request, response, asked) ?? functionTarget(asked, request.headers.host ?? "");
      } catch (error) {
        refuse(request, response, error);
        return;
      }
      if (target === "answered") return;
      if (target !== null) parts.invokeRoutes.handle(request, response, target, closing);
      else void control(request, response);
    },
  );
  server.on("checkExpectation", (request, response) => {
    begin(response);
    const error = new HostError("bad_request", "Expect asks for more than 100-continue", { status: 417 });
    refuse(request, response, error);
  });
  answerRefusedRequests(server);
  server.maxRequestsPerSocket = limits.requestsPerSocketMax;
  server.maxHeadersCount = 1_000;
  return server;
}

/** Checks what no route should have to. */
function checkedTarget(request: IncomingMessage): Target {
  const { method = "", url = "" } = request;
  if (method === "TRACE") throw methodRefusal("TRACE is refused (RFC 9110, section 9.3.8)");
  assertOneHost(request);
  assertKnownCoding(request);
  return parseTarget(url, request.headers.host ?? "");
}

/**
 * RFC 9112, section 6.1: Node undoes the chunks, and nobody what lies under them. Where the last coding
 * is another one, Node's parser refuses the request itself.
 */
function assertKnownCoding({ headers }: IncomingMessage): void {
  const coding = headers["transfer-encoding"];
  if (coding === undefined || !/,\s*chunked\s*$/i.test(coding)) return;
  throw new HostError("bad_request", "The host knows no transfer coding but chunked", { status: 501 });
}

/** RFC 9112, section 3.2; of several Node takes the first (docs/threat-model.md B13). */
function assertOneHost({ rawHeaders, httpVersion }: IncomingMessage): void {
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name !== undefined && name.length === 4 && name.toLowerCase() === "host") hosts += 1;
  }
  if (hosts > 1) throw new HostError("bad_request", "The request has more than one Host header");
  if (hosts === 0 && httpVersion === "1.1")
    throw new HostError("bad_request", "The request has no Host header");
}

/** What the adapter of the control plane refuses itself: a target or a Host that is part of no URL. */
function noUrl(error: RequestError): HostError {
  return new HostError("bad_request", `The request makes no URL: ${error.message}`);
}

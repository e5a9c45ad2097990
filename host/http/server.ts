// The HTTP server: the socket's bounds, the checks that come before any routing, and the choice
// between data plane and control plane. Answers from raw requests; owns no state of functions.

import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { getRequestListener } from "@hono/node-server";
import type { Hono } from "hono";
import { HostError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { ControlEnv } from "./app.ts";
import { problemOf, writeProblem } from "./error-response.ts";
import type { InvokeRoutes } from "./invoke-routes.ts";
import { type FunctionTarget, functionTarget, parseTarget } from "./target.ts";

export type ServerParts = {
  readonly invokeRoutes: InvokeRoutes;
  readonly app: Hono<ControlEnv>;
  readonly onFault: (error: unknown, requestId: string) => void;
};

/** The interval at which Node looks for late clients; its default of 30 s makes the bounds idle. */
const connectionsCheckMs = 500;

export function createHttpServer(parts: ServerParts): Server {
  const control = getRequestListener(parts.app.fetch, { overrideGlobalObjects: false });
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    let target: FunctionTarget | null;
    try {
      target = route(request);
    } catch (error) {
      refuse(request, response, error, parts.onFault);
      return;
    }
    if (target !== null) void parts.invokeRoutes.handle(request, response, target);
    else void control(request, response);
  };
  const server = createServer(
    {
      connectionsCheckingInterval: connectionsCheckMs,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      maxHeaderSize: limits.requestHeaderBytesMax,
      keepAliveTimeout: 5_000,
      requireHostHeader: true,
    },
    listener,
  );
  server.maxRequestsPerSocket = limits.requestsPerSocketMax;
  server.maxHeadersCount = 1_000;
  return server;
}

/** Checks what no route should have to; null sends the request to the control plane. */
function route(request: IncomingMessage): FunctionTarget | null {
  const { method = "", rawHeaders, url = "" } = request;
  if (method === "TRACE") {
    throw new HostError("method_not_allowed", "TRACE is refused (RFC 9110, section 9.3.8)", {
      extra: { allow: ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"] },
    });
  }
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name !== undefined && name.length === 4 && name.toLowerCase() === "host") hosts += 1;
  }
  // Node takes the first of several (docs/threat-model.md B13); RFC 9112, section 3.2, wants them refused.
  if (hosts > 1) throw new HostError("bad_request", "The request has more than one Host header");
  const host = request.headers.host ?? "";
  return functionTarget(parseTarget(url, host), host);
}

function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
  onFault: ServerParts["onFault"],
): void {
  const requestId = randomUUID();
  const problem = problemOf(error, requestId, (fault) => onFault(fault, requestId));
  writeProblem(request, response, problem, [["x-mayfly-request-id", requestId]]);
}

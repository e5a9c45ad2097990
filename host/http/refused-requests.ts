// Answers what Node refuses before there is a request to answer: bytes that are no HTTP/1.1, headers
// that are too large or too late, and CONNECT. Each gets a problem document, after the answers that
// the connection still owes, and is the last thing on it.

import { randomUUID } from "node:crypto";
import type { Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { HostError } from "../errors.ts";
import { lingerMs, problemOf, rawProblem } from "./error-response.ts";

/** An error of Node's HTTP parser; the reason is its own wording and holds nothing of the request. */
type ParserError = NodeJS.ErrnoException & { readonly reason?: string };

/** Node keeps the response whose turn it is on its socket, and asks there too before it refuses. */
type HttpSocket = Socket & { readonly _httpMessage?: ServerResponse | null };

export function answerRefusedRequests(server: Server): void {
  const refused = new WeakSet<Socket>();
  server.on("clientError", (error: ParserError, stream) => {
    const socket = stream as HttpSocket;
    // The parser fails again at whatever else the client sends, or leaves unsent.
    if (refused.has(socket)) return;
    refused.add(socket);
    refuse(socket, parserRefusal(error));
  });
  server.on("connect", (request) => {
    // Node has let go of the socket, its listeners included.
    request.socket.on("error", () => {});
    refuse(request.socket, methodRefusal("CONNECT is refused: the host is no proxy"));
  });
}

function parserRefusal(error: ParserError): HostError {
  switch (error.code) {
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return new HostError("request_timeout", "The request did not arrive complete in time");
    case "HPE_HEADER_OVERFLOW":
      return new HostError("bad_request", "The request's headers are too large or too many", { status: 431 });
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return new HostError("body_too_large", "The extensions of the body's chunks are too large");
    default:
      return new HostError(
        "bad_request",
        `The request is no valid HTTP/1.1: ${error.reason ?? "unreadable"}`,
      );
  }
}

/** The 405 of a method that no route takes. */
export function methodRefusal(detail: string): HostError {
  return new HostError("method_not_allowed", detail, {
    extra: { allow: ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"] },
  });
}

function refuse(socket: HttpSocket, error: HostError): void {
  // The client is gone, or reset the connection: Node tells of that here too, and there is no answer.
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const current = socket._httpMessage ?? null;
  if (current?.req.complete === true) {
    // The fault is in a later request, whose turn it is when this one and those behind it are answered.
    current.once("close", () => refuse(socket, error));
    return;
  }
  // An answer that has begun is not to be mixed with another.
  if (current?.headersSent !== true) {
    const requestId = randomUUID();
    const problem = problemOf(error, requestId, () => {});
    socket.end(rawProblem(problem, requestId));
  }
  // What the client still sends is read, or closing would reset the connection and take the answer with it.
  socket.resume();
  setTimeout(() => socket.destroy(), lingerMs).unref();
}

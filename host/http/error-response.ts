// The one place that writes error answers: problem documents of RFC 9457 with a stable `code`. An
// error that is no HostError is logged whole under the request id and tells the client nothing.

import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import { errorTable, HostError } from "../errors.ts";
import { isUnread } from "./request-body.ts";

export type Problem = {
  readonly status: number;
  readonly headers: readonly [string, string][];
  readonly body: string;
};

const bearer = 'Bearer realm="mayfly"';

/** The answer for any thrown value; `report` gets those that are our own fault. */
export function problemOf(error: unknown, requestId: string, report: (error: unknown) => void): Problem {
  let known: HostError;
  if (error instanceof HostError) {
    known = error;
  } else {
    report(error);
    known = new HostError("internal", "The host failed; its log has the reason under this request id");
  }
  const document = {
    type: "about:blank",
    title: errorTable[known.code].meaning,
    status: known.status,
    detail: known.message,
    code: known.code,
    requestId,
    ...known.extra,
  };
  const headers: [string, string][] = [["content-type", "application/problem+json"]];
  if (known.retryAfterS !== undefined) headers.push(["retry-after", String(known.retryAfterS)]);
  if (known.code === "unauthorized") headers.push(["www-authenticate", bearer]);
  // RFC 6750, section 3.1.
  if (known.code === "forbidden") headers.push(["www-authenticate", `${bearer}, error="insufficient_scope"`]);
  for (let index = 0; index + 1 < known.headers.length; index += 2) {
    headers.push([known.headers[index] ?? "", known.headers[index + 1] ?? ""]);
  }
  // RFC 9110, section 15.5.6: a 405 carries Allow.
  const { allow } = known.extra;
  if (Array.isArray(allow)) headers.push(["allow", allow.join(", ")]);
  return { status: known.status, headers, body: `${JSON.stringify(document)}\n` };
}

/** How long a client that is still sending may take to notice the answer. */
export const lingerMs = 1_000;

/**
 * Writes a problem to a raw response, with further headers. Where the client is still sending, the
 * connection is closed, but not at once: closing it with bytes unread would reset it and take the
 * answer with it (RFC 9112, section 9.6). So the answer goes out whole, and its end waits a little.
 */
export function writeProblem(
  request: IncomingMessage,
  response: ServerResponse,
  problem: Problem,
  further: readonly string[] = [],
): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const headers = [
    ...further,
    ...problem.headers.flat(),
    "content-length",
    String(Buffer.byteLength(problem.body)),
  ];
  if (!isUnread(request)) {
    response.writeHead(problem.status, headers);
    response.end(problem.body);
    return;
  }
  response.writeHead(problem.status, [...headers, "connection", "close"]);
  response.write(problem.body);
  endUnread(request, response);
}

/**
 * Ends a response whose bytes have been written. Where the client is still sending, as above; a head that
 * did not announce it makes no difference to that.
 */
export function endUnread(request: IncomingMessage, response: ServerResponse): void {
  if (!isUnread(request)) {
    response.end();
    return;
  }
  response.shouldKeepAlive = false;
  const end = (): void => {
    clearTimeout(timer);
    response.end();
    // A head that promised to keep it binds nobody to read what may never end.
    if (isUnread(request)) response.once("finish", () => request.socket.destroySoon());
  };
  const timer = setTimeout(end, lingerMs).unref();
  request.once("end", end).once("close", end).resume();
}

/** A problem as the last answer of a connection, for where there is no response to write it to. */
export function rawProblem(problem: Problem, requestId: string): string {
  const headers = [
    ["x-mayfly-request-id", requestId],
    ...problem.headers,
    ["content-length", String(Buffer.byteLength(problem.body))],
    ["date", new Date().toUTCString()],
    ["connection", "close"],
  ];
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\n${lines.join("")}\r\n${problem.body}`;
}

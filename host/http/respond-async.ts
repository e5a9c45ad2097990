// `Prefer: respond-async` (RFC 7240, section 4.1): a call that is stored, acknowledged, and made later.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { AsyncRequest } from "../async-call.ts";
import type { FunctionTarget } from "./target.ts";

/** Whether a request prefers not to wait for its answer; other preferences are left to the function. */
export function prefersAsync(prefer: string | readonly string[] | undefined): boolean {
  if (prefer === undefined) return false;
  const list = typeof prefer === "string" ? prefer : prefer.join(",");
  return list.split(",").some((each) => /^\s*respond-async\s*(;|$)/i.test(each));
}

/** What is stored of a request besides its body; `sent` are its headers as the function sees them. */
export function asyncRequest(
  request: IncomingMessage,
  target: FunctionTarget,
  sent: readonly string[],
): Omit<AsyncRequest, "id" | "function"> {
  const { method = "GET", url = "/", socket, headers } = request;
  return {
    pin: target.pin,
    method,
    url: url.startsWith("/") ? `http://${headers.host ?? ""}${url}` : url,
    path: target.path,
    query: target.query,
    remoteAddress: socket.remoteAddress ?? "",
    headers: sent,
  };
}

/** The acknowledgement. */
export function sendAccepted(
  response: ServerResponse,
  id: string,
  location: string,
  further: readonly string[],
): void {
  const body = `${JSON.stringify({ id, state: "queued", url: location })}\n`;
  response.writeHead(202, [
    ...further,
    "location",
    location,
    "preference-applied",
    "respond-async",
    "content-type",
    "application/json",
    "content-length",
    String(body.length),
  ]);
  response.end(body);
}

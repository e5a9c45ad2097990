// Cross-origin sharing for the answers of a route (the Fetch standard's CORS protocol). Pure functions of a
// route's settings and a request's headers.

import type { IncomingHttpHeaders } from "node:http";
import type { Cors } from "../route.ts";

/** Whether a browser asks before it sends the request itself. */
export function isPreflight(method: string, headers: IncomingHttpHeaders): boolean {
  return (
    method === "OPTIONS" &&
    headers.origin !== undefined &&
    headers["access-control-request-method"] !== undefined
  );
}

/** The headers of an answer; names and values alternate. */
export function corsHeaders(cors: Cors, { origin }: IncomingHttpHeaders): string[] {
  const allowed = allowedOrigin(cors, origin);
  if (allowed === null) return varies(cors);
  const headers = ["access-control-allow-origin", allowed];
  if (cors.credentials) headers.push("access-control-allow-credentials", "true");
  if (cors.exposeHeaders.length > 0) {
    headers.push("access-control-expose-headers", cors.exposeHeaders.join(", "));
  }
  return [...headers, ...varies(cors)];
}

/** The headers of the answer to a preflight: without them the browser sends no request. */
export function preflightHeaders(cors: Cors, { origin }: IncomingHttpHeaders): string[] {
  const allowed = allowedOrigin(cors, origin);
  if (allowed === null) return varies(cors);
  const headers = [
    "access-control-allow-origin",
    allowed,
    "access-control-allow-methods",
    cors.methods.join(", "),
    "access-control-max-age",
    String(cors.maxAgeSeconds),
  ];
  if (cors.credentials) headers.push("access-control-allow-credentials", "true");
  if (cors.headers.length > 0) headers.push("access-control-allow-headers", cors.headers.join(", "));
  return [...headers, ...varies(cors)];
}

/** A guest's headers without those by which the route speaks; names and values alternate. */
export function withoutCors(headers: readonly string[]): string[] {
  const kept: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] ?? "";
    if (!/^access-control-/i.test(name)) kept.push(name, headers[index + 1] ?? "");
  }
  return kept;
}

function allowedOrigin({ origins }: Cors, origin: string | undefined): string | null {
  if (origins.includes("*")) return "*";
  return origin !== undefined && origins.includes(origin) ? origin : null;
}

/** Caches must not give one origin the answer for another. */
function varies({ origins }: Cors): string[] {
  return origins.includes("*") ? [] : ["vary", "origin"];
}

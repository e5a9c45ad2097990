// Requests by signed URL: from anywhere, web pages too, and without a token. The signature says what one
// may do, in place of everything that the guard asks (Fetch standard, section 3.3, for what pages need).

import type { Context } from "hono";
import { HostError } from "../errors.ts";
import { bucketName, prefixInPath } from "../key.ts";
import type { BlobLinks, LinkBounds } from "../services/blob-links.ts";
import type { ControlEnv } from "./app.ts";

const pathPattern = /^\/v1\/blobs\/([^/]+)\//;

/** Whether the request claims to be signed. */
export function isSigned({ req }: Context<ControlEnv>): boolean {
  return pathPattern.test(req.path) && req.query("signature") !== undefined;
}

/** Whether a page's browser asks if it may send one. */
export function isPreflight({ req }: Context<ControlEnv>): boolean {
  return req.method === "OPTIONS" && req.header("access-control-request-method") !== undefined;
}

export function answerPreflight(context: Context<ControlEnv>, links: BlobLinks, namespace: string): Response {
  openToPages(context);
  const method = context.req.header("access-control-request-method") ?? "";
  verify(context, links, method, namespace);
  context.header("access-control-allow-methods", method);
  const headers = context.req.header("access-control-request-headers");
  if (headers !== undefined) context.header("access-control-allow-headers", headers);
  context.header("access-control-max-age", "600");
  return context.body(null, 204);
}

/** What the request may do in a namespace; throws `link_refused`. */
export function admitSigned(context: Context<ControlEnv>, links: BlobLinks, namespace: string): LinkBounds {
  openToPages(context);
  return verify(context, links, context.req.method, namespace);
}

/** A page may read the answer, whatever it is. */
function openToPages(context: Context<ControlEnv>): void {
  context.header("access-control-allow-origin", "*");
  context.header("access-control-expose-headers", "*");
  context.header("cross-origin-resource-policy", "cross-origin");
}

function verify(
  { req }: Context<ControlEnv>,
  links: BlobLinks,
  method: string,
  namespace: string,
): LinkBounds {
  const query = new URL(req.url).searchParams;
  const known = new Set(["expires", "max", "type", "signature"]);
  if ([...query.keys()].some((name) => !known.has(name))) {
    throw new HostError("link_refused", "The URL has more in its query than was signed");
  }
  const [prefix = "", name = ""] = pathPattern.exec(req.path) ?? [];
  return links.verify(method, bucketName(name, namespace), prefixInPath(req.path, prefix), query);
}

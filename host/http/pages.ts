// What a web page's browser asks before and after a request to the control plane (Fetch standard, section 3.3), for
// the pages of origins that are configured. Others are told nothing, and refused by the guard.

import type { Context } from "hono";
import type { ControlEnv } from "./app.ts";
import type { GuardBounds } from "./guard.ts";

/** Lets a page of a configured origin read the answer, whatever it is. */
export function openToOrigin(
  context: Context<ControlEnv>,
  { origins }: Pick<GuardBounds, "origins">,
): boolean {
  const origin = context.req.header("origin");
  if (origins.length > 0) context.header("vary", "origin");
  if (origin === undefined || !origins.includes(origin)) return false;
  context.header("access-control-allow-origin", origin);
  context.header("access-control-expose-headers", "*");
  return true;
}

/** Answers whether a page may send a request: of any method and headers, since its token decides. */
export function answerPagePreflight(
  context: Context<ControlEnv>,
  bounds: Pick<GuardBounds, "origins">,
): boolean {
  if (!openToOrigin(context, bounds)) return false;
  context.header("access-control-allow-methods", "GET, HEAD, PUT, POST, DELETE");
  const headers = context.req.header("access-control-request-headers");
  if (headers !== undefined) context.header("access-control-allow-headers", headers);
  context.header("access-control-max-age", "600");
  return true;
}

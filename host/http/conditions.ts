// The conditions of requests (RFC 9110, section 13.1): what a change depends on, and what a client has already.

import type { Context } from "hono";
import { HostError } from "../errors.ts";
import type { Condition } from "../store/condition.ts";
import type { ControlEnv } from "./app.ts";

/** If-Match with tags or `*`, or If-None-Match with `*`; `read` gives what a strong tag stands for, or null. */
export function conditionOf<tag>(
  context: Context<ControlEnv>,
  read: (tag: string) => tag | null,
): Condition<tag> {
  const match = context.req.header("if-match");
  const noneMatch = context.req.header("if-none-match");
  if (match !== undefined && noneMatch !== undefined) {
    throw new HostError("bad_request", "A change takes If-Match or If-None-Match, not both");
  }
  if (noneMatch !== undefined) {
    if (noneMatch.trim() === "*") return "absent";
    throw new HostError("bad_request", "A change takes If-None-Match with * alone");
  }
  if (match === undefined) return "any";
  if (match.trim() === "*") return "present";
  return match.split(",").flatMap((tag) => read(tag.trim()) ?? []);
}

/** Whether If-None-Match names this tag, compared weakly (section 13.1.2). */
export function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const tags = ifNoneMatch.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags.includes("*") || tags.includes(etag);
}

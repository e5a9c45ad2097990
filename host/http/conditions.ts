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

/**
 * Whether a client that reads has it already, so that 304 is the answer; throws `precondition_failed`
 * (section 13.2.2, in its order). `changedAtMs` where there is a Last-Modified, Unix ms.
 */
export function isKnown(context: Context<ControlEnv>, etag: string, changedAtMs: number | null): boolean {
  const header = (name: string): string | undefined => context.req.header(name);
  const [match, noneMatch] = [header("if-match"), header("if-none-match")];
  const isOlderThan = (date: string | undefined): boolean | null => {
    const ms = Date.parse(date ?? "");
    // Last-Modified has whole seconds. What is no date is no condition.
    return changedAtMs === null || Number.isNaN(ms) ? null : Math.floor(changedAtMs / 1_000) * 1_000 <= ms;
  };
  const isMatched =
    match === undefined ? isOlderThan(header("if-unmodified-since")) !== false : names(match, etag);
  if (!isMatched) throw new HostError("precondition_failed", `It is at ${etag}`);
  if (noneMatch !== undefined) return names(noneMatch.replaceAll("W/", ""), etag);
  return isOlderThan(header("if-modified-since")) === true;
}

function names(tags: string, etag: string): boolean {
  const list = tags.split(",").map((tag) => tag.trim());
  return list.includes("*") || list.includes(etag);
}

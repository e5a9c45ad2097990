// What a change may depend on (RFC 9110, section 13.1): how the thing to be changed has to be.

import { HostError } from "../errors.ts";

/** As it may be, absent, present, or one that has one of some tags: a version, a digest. */
export type Condition<tag> = "any" | "absent" | "present" | readonly tag[];

/** Throws `precondition_failed`; `tag` is null where there is no such thing. */
export function assertCondition<tag>(tag: tag | null, condition: Condition<tag>, what: string): void {
  if (condition === "any") return;
  if (condition === "absent") {
    if (tag === null) return;
    throw new HostError("precondition_failed", `The ${what} is there, at ${tag}`);
  }
  if (tag === null) throw new HostError("precondition_failed", `The ${what} is not there`);
  if (condition === "present" || condition.includes(tag)) return;
  throw new HostError("precondition_failed", `The ${what} is at ${tag}`);
}

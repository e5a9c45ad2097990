// Which of two versions a call runs: pure functions of the split, the request's headers and chance. Sticky
// is a hash of a value, so that nothing is kept: whoever sends the same value gets the same version, also
// from another host, and a larger share keeps those in whom a smaller one had.

import { type Canary, type Sticky, wholeShare } from "../alias.ts";

/** Header values by lower-case name, as Node has them. */
export type CallHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Whether a call is the canary's; `salt` has other callers in the canaries of other functions. */
export function isCanaryCall(
  { share }: Pick<Canary, "share">,
  sticky: Sticky | null,
  { headers, salt, random }: { readonly headers: CallHeaders; readonly salt: string; random(): number },
): boolean {
  const value = sticky === null ? null : stickyValue(sticky, headers);
  const place = value === null ? random() * wholeShare : hashOf(salt, value) % wholeShare;
  return place < share;
}

/** Null where the request has no such header or cookie. */
function stickyValue(sticky: Sticky, headers: CallHeaders): string | null {
  if ("header" in sticky) return textOf(headers, sticky.header);
  return cookieOf(textOf(headers, "cookie") ?? "", sticky.cookie);
}

/** The header of a request, its values joined where there are several; null where there is none. */
export function textOf(headers: CallHeaders, name: string): string | null {
  // Not what every object has: the name is whatever a user set.
  if (!Object.hasOwn(headers, name)) return null;
  const value = headers[name];
  return typeof value === "string" ? value : (value?.join(", ") ?? null);
}

/** The first cookie of that name (RFC 6265, section 5.4). */
function cookieOf(cookies: string, name: string): string | null {
  for (const pair of cookies.split(";")) {
    const at = pair.indexOf("=");
    if (at !== -1 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim();
  }
  return null;
}

/** FNV-1a over both, its bits mixed as MurmurHash3 ends: each bit of the text moves half of those. */
function hashOf(salt: string, value: string): number {
  let hash = fnv(fnv(0x811c9dc5, salt), value);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function fnv(start: number, text: string): number {
  let hash = start;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash;
}

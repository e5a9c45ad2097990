// The token that a request brings (RFC 6750, section 2.1): in one Authorization header, and nowhere else. A query is
// written into logs and sent on by pages.

import { tokenHeader } from "./headers.ts";

/** The token in an Authorization header; "" where there is none. */
export function bearerIn(authorization: string | undefined): string {
  return /^Bearer +(\S+) *$/i.exec(authorization ?? "")?.[1] ?? "";
}

/** As `bearerIn`, of Node's `rawHeaders`; of two headers none counts. */
export function bearerOf(rawHeaders: readonly string[]): string {
  let found: string | undefined;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() !== tokenHeader) continue;
    if (found !== undefined) return "";
    found = rawHeaders[index + 1];
  }
  return bearerIn(found);
}

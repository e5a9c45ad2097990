// Reads the arguments of `mayfly invoke` into what goes on the wire: target, method, headers, body.
// What HTTP cannot carry is wrong usage; nothing is decoded or normalised.

import { validateHeaderName, validateHeaderValue } from "node:http";
import { resolve } from "node:path";
import { buffer } from "node:stream/consumers";
import { callPath, defaultNamespace, qualifiedName } from "../namespace.ts";
import { readFunctionName } from "./arguments.ts";
import { WrongUsage } from "./failure.ts";
import { readBytes } from "./function-source.ts";
import type { CliIo } from "./io.ts";

/** `hello@2`, `a b?c=%2e` → `/fn/hello@2/a%20b?c=%2e`: only what cannot stand in a target is encoded. */
export function requestTarget(
  nameAndPin: string,
  path: string,
  namespace: string = defaultNamespace,
): string {
  const at = nameAndPin.indexOf("@");
  const name = readFunctionName(at === -1 ? nameAndPin : nameAndPin.slice(0, at));
  const pin = at === -1 ? "" : nameAndPin.slice(at);
  if (pin !== "" && !/^@[A-Za-z0-9._-]{1,100}$/.test(pin)) {
    throw new WrongUsage(`Cannot read ${JSON.stringify(nameAndPin)}, want NAME or NAME@VERSION`);
  }
  const rooted = path === "" || path.startsWith("/") || path.startsWith("?") ? path : `/${path}`;
  // Control characters, space, `#` (which would begin a fragment) and whatever is not ASCII.
  const encoded = rooted.toWellFormed().replace(/[^\x21\x22\x24-\x7e]+/g, encodeURIComponent);
  return `${callPath(qualifiedName(name, namespace))}${pin}${encoded}`;
}

export function readMethod(text: string): string {
  if (/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(text) && text.toUpperCase() !== "CONNECT") return text;
  throw new WrongUsage(`Cannot use ${JSON.stringify(text)} as a method, want one such as GET or POST`);
}

/** `Name: value` each; a name given twice is sent twice. Values go out as UTF-8, as curl does it. */
export function readHeaders(texts: readonly string[]): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (const text of texts) {
    const at = text.indexOf(":");
    const name = text.slice(0, Math.max(at, 0)).trim().toLowerCase();
    const value = Buffer.from(text.slice(at + 1).trim(), "utf8").toString("latin1");
    if (!isHeader(name, value)) {
      throw new WrongUsage(`Cannot use ${JSON.stringify(text)} as a header, want 'Name: value'`);
    }
    const before = headers[name];
    headers[name] = before === undefined ? value : [before, value].flat();
  }
  return headers;
}

/** `@file` and `@-` are read; anything else is the body itself, as UTF-8. */
export async function readRequestBody(data: string, io: CliIo): Promise<Uint8Array> {
  if (data === "@-") return buffer(io.stdin);
  if (data.startsWith("@")) return readBytes(resolve(io.cwd, data.slice(1)), data.slice(1));
  return new TextEncoder().encode(data);
}

function isHeader(name: string, value: string): boolean {
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    return name !== "__proto__";
  } catch {
    // Both throw a TypeError that says less than the usage message does.
    return false;
  }
}

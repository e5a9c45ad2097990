// Names and keys of what functions keep: which texts are such, and how a key is found in a request target.

import { HostError } from "./errors.ts";
import { isFunctionName } from "./function.ts";
import { limits } from "./limits.ts";
import { qualifiedName } from "./namespace.ts";

/** How the store `text` of a namespace is kept; throws `invalid_name` when that is no name. */
export const storeName = (text: string, namespace: string): string =>
  qualifiedName(nameOf(text, "store"), namespace);

/** How the bucket `text` of a namespace is kept; throws `invalid_name` when that is no name. */
export const bucketName = (text: string, namespace: string): string =>
  qualifiedName(nameOf(text, "bucket"), namespace);

/** How the topic `text` of a namespace is kept; throws `invalid_name` when that is no name. */
export const topicName = (text: string, namespace: string): string =>
  qualifiedName(nameOf(text, "topic"), namespace);

/** Returns `text` when it is the name of a trigger, else throws `invalid_name`. */
export const triggerName = (text: string): string => nameOf(text, "trigger");

/** Returns `text` when it is the name of a route, else throws `invalid_name`. */
export const routeName = (text: string): string => nameOf(text, "route");

function nameOf(text: string, what: string): string {
  if (isFunctionName(text)) return text;
  const shown = JSON.stringify(text.slice(0, 80));
  throw new HostError(
    "invalid_name",
    `Cannot use ${shown} as the name of a ${what}: want 1 to 63 of a-z, 0-9 and inner hyphens`,
  );
}

/** Returns `text` when it is a key, else throws `invalid_key`. Any characters may be in one. */
export function keyText(text: string): string {
  const bytes = Buffer.byteLength(text);
  if (bytes > 0 && bytes <= limits.kvKeyBytesMax && text.isWellFormed()) return text;
  const found = text.isWellFormed() ? `${bytes} bytes` : "a lone surrogate";
  throw new HostError(
    "invalid_key",
    `The key has ${found}, want 1 to ${limits.kvKeyBytesMax} bytes of UTF-8`,
  );
}

/** The key in what follows `prefix` in a path as it was sent: percent-encoded, any character, slashes too. */
export function keyInPath(path: string, prefix: string): string {
  return keyText(decodedAfter(path, prefix));
}

/** As `keyInPath`; it may also be empty. */
export function prefixInPath(path: string, prefix: string): string {
  const text = decodedAfter(path, prefix);
  return text === "" ? "" : keyText(text);
}

function decodedAfter(path: string, prefix: string): string {
  try {
    return decodeURIComponent(path.slice(prefix.length));
  } catch {
    throw new HostError("invalid_key", "The key is not percent-encoded UTF-8");
  }
}

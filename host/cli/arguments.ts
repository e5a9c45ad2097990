// Reads the arguments that several commands share: function names, KEY=VALUE pairs, the host's URL
// and token. Each throws WrongUsage that says what to type instead. Pure.

import { isFunctionName } from "../function.ts";
import { WrongUsage } from "./failure.ts";

export const hostUrlDefault = "http://127.0.0.1:4747";

export function readFunctionName(text: string): string {
  if (isFunctionName(text)) return text;
  const suggestion = suggestedName(text);
  const instead = suggestion === null ? "" : `, such as ${suggestion}`;
  throw new WrongUsage(
    `Cannot use ${JSON.stringify(text)} as a function name, want 1 to 63 of a-z, 0-9 and inner hyphens${instead}`,
  );
}

/** The nearest text that is a function name; null where nothing is left of it. */
export function suggestedName(text: string): string | null {
  const name = text
    .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 63)
    .replace(/^-+|-+$/g, "");
  return isFunctionName(name) ? name : null;
}

/** `K=V`; the value may be empty and may hold further `=`. */
export function readPair(text: string): readonly [key: string, value: string] {
  const at = text.indexOf("=");
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw new WrongUsage(`Cannot read ${JSON.stringify(text)}, want KEY=VALUE`);
}

export function readHostUrl(text: string, source: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  const usable = url !== null && /^https?:$/.test(url.protocol) && url.search === "" && url.hash === "";
  if (url !== null && usable && url.username === "" && url.password === "") return url;
  const shown = url !== null && url.password !== "" ? "not usable" : JSON.stringify(text);
  throw new WrongUsage(`${source} is ${shown}, want the host's address such as ${hostUrlDefault}`);
}

/** Never shows the token. */
export function readToken(text: string, source: string): string {
  if (/^[\x21-\x7e]+$/.test(text)) return text;
  throw new WrongUsage(`${source} is not usable, want visible ASCII characters without spaces`);
}

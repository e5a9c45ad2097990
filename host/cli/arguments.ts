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

export function readNamespace(text: string): string {
  if (isFunctionName(text)) return text;
  throw new WrongUsage(
    `Cannot use ${JSON.stringify(text)} as a namespace, want 1 to 63 of a-z, 0-9 and inner hyphens`,
  );
}

/** Never shows the token. */
export function readToken(text: string, source: string): string {
  if (/^[\x21-\x7e]+$/.test(text)) return text;
  throw new WrongUsage(`${source} is not usable, want visible ASCII characters without spaces`);
}

/** `2` or `v2`. */
export function readVersion(text: string): number {
  const digits = /^v?([1-9]\d{0,8})$/.exec(text)?.[1];
  if (digits === undefined) {
    throw new WrongUsage(`Cannot read ${JSON.stringify(text)} as a version, want a number such as 2`);
  }
  return Number(digits);
}

/** `live` unless given. */
export function readAlias(text = "live"): string {
  if (isFunctionName(text) && !/^\d+$/.test(text)) return text;
  throw new WrongUsage(
    `Cannot use ${JSON.stringify(text)} as an alias, want 1 to 63 of a-z, 0-9 and inner hyphens, and not digits alone`,
  );
}

/** `10%`, `10` or `0.5%`. */
export function readPercent(text: string): number {
  const digits = /^(\d{1,3}(?:\.\d{1,2})?) ?%?$/.exec(text)?.[1];
  if (digits !== undefined && Number(digits) <= 100) return Number(digits);
  throw new WrongUsage(
    `Cannot read ${JSON.stringify(text)} as a share, want 0% to 100% with at most two decimals`,
  );
}

const msByUnit: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** `250ms`, `60s`, `5m` or `1h`; bare numbers are milliseconds. */
export function readMs(text: string): number {
  const [, digits, unit = "ms"] = /^(\d{1,9})(ms|s|m|h)?$/.exec(text) ?? [];
  if (digits !== undefined) return Number(digits) * (msByUnit[unit] ?? 1);
  throw new WrongUsage(`Cannot read ${JSON.stringify(text)} as a time, want such as 250ms or 60s`);
}

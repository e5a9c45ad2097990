// Where links lead: reads the part in parentheses, and lets only harmless addresses through.

import { isPunctuation, isSpace } from "./escape";

// CommonMark asks for at least 32; a limit keeps hostile input from being read over and over.
const PARENTHESES_MAX = 32;

/** The target of an inline link, `(address "title")`. */
export class LinkTarget {
  url: string = "";
  title: string = "";
  /** The index behind the closing parenthesis. */
  end: i32 = 0;
}

/** Reads a target whose opening parenthesis is at `at`; `null` when there is none. */
export function readTarget(text: string, at: i32): LinkTarget | null {
  if (text.charAt(at) !== "(") return null;
  const target = new LinkTarget();
  at = skipSpace(text, at + 1);
  const urlEnd = text.charAt(at) === "<" ? bracketedEnd(text, at) : bareEnd(text, at);
  if (urlEnd < 0) return null;
  target.url = text.charAt(at) === "<" ? unescape(text, at + 1, urlEnd - 1) : unescape(text, at, urlEnd);
  at = skipSpace(text, urlEnd);
  const quote = text.charAt(at);
  if (at > urlEnd && (quote === '"' || quote === "'" || quote === "(")) {
    const close = titleEnd(text, at + 1, quote === "(" ? ")" : quote);
    if (close < 0) return null;
    target.title = unescape(text, at + 1, close);
    at = skipSpace(text, close + 1);
  }
  if (text.charAt(at) !== ")") return null;
  target.end = at + 1;
  return target;
}

/** Whether an address is relative or has a scheme that runs no code in the page. */
export function isSafeUrl(url: string): bool {
  for (let i = 0; i < url.length; i++) {
    const unit = url.charCodeAt(i);
    // Browsers drop tabs and line breaks, so that one could hide within a scheme.
    if (unit < 0x20 || unit === 0x7f) return false;
    if (unit === 0x2f || unit === 0x3f || unit === 0x23) return true;
    if (unit === 0x3a) return isSafeScheme(url.substring(0, i));
  }
  return true;
}

function isSafeScheme(scheme: string): bool {
  return sameWord(scheme, "http") || sameWord(scheme, "https") || sameWord(scheme, "mailto");
}

/** Whether a text is a lower case word, in any case. */
function sameWord(text: string, word: string): bool {
  if (text.length !== word.length) return false;
  for (let i = 0; i < word.length; i++) if ((text.charCodeAt(i) | 0x20) !== word.charCodeAt(i)) return false;
  return true;
}

function skipSpace(text: string, at: i32): i32 {
  while (at < text.length && isSpace(text.charCodeAt(at))) at++;
  return at;
}

function bracketedEnd(text: string, at: i32): i32 {
  for (at++; at < text.length; at++) {
    const unit = text.charAt(at);
    if (unit === ">") return at + 1;
    if (unit === "<" || unit === "\n") return -1;
    if (unit === "\\") at++;
  }
  return -1;
}

/** An address without brackets ends at a space or at the parenthesis that closes the link. */
function bareEnd(text: string, at: i32): i32 {
  let open = 0;
  for (; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (isSpace(unit)) return open === 0 ? at : -1;
    if (unit < 0x20) return -1;
    if (unit === 0x28 && ++open > PARENTHESES_MAX) return -1;
    if (unit === 0x29 && open-- === 0) return at;
    else if (unit === 0x5c && isPunctuation(text.charCodeAt(at + 1))) at++;
  }
  return -1;
}

function titleEnd(text: string, at: i32, quote: string): i32 {
  for (; at < text.length; at++) {
    if (text.charAt(at) === quote) return at;
    if (text.charAt(at) === "\\") at++;
  }
  return -1;
}

function unescape(text: string, start: i32, end: i32): string {
  let plain = "";
  for (let i = start; i < end; i++) {
    if (text.charCodeAt(i) === 0x5c && i + 1 < end && isPunctuation(text.charCodeAt(i + 1))) i++;
    plain += text.charAt(i);
  }
  return plain;
}

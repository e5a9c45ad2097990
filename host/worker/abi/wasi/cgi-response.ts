// From what a program wrote to its stdout to a response: the header block of CGI (RFC 3875, section 6), an empty
// line, the body. Nothing in it is trusted.

import { limits } from "../../../limits.ts";

export type CgiResponse = {
  readonly status: number;
  /** Names and values alternate; values are byte strings. */
  readonly headers: readonly string[];
  readonly body: Uint8Array;
};

/** Why there is no response: it did not begin, or breaks the rules. */
export type CgiFault = {
  readonly code: "no_cgi_headers" | "bad_cgi_headers";
  readonly reason: string;
};

const newline = 10;
const carriageReturn = 13;

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/;
/** One of them has to be there (section 6.3), and none twice. */
const cgiFields = ["content-type", "location", "status"];

/** Looks for the empty line that ends a header block, in bytes that become more: at each of them once. */
export class HeadEnd {
  #lineStart = 0;
  #seen = 0;
  #isFound = false;

  isIn(output: Uint8Array): boolean {
    while (!this.#isFound) {
      const end = output.indexOf(newline, this.#seen);
      if (end === -1) {
        this.#seen = output.byteLength;
        return false;
      }
      const bytes = end - this.#lineStart;
      this.#isFound = bytes === 0 || (bytes === 1 && output[this.#lineStart] === carriageReturn);
      this.#lineStart = end + 1;
      this.#seen = end + 1;
    }
    return true;
  }
}

export function readCgiResponse(output: Uint8Array): CgiResponse | CgiFault {
  const lines: string[] = [];
  let start = 0;
  for (;;) {
    const end = output.indexOf(newline, start);
    if (end === -1 && output.byteLength <= limits.responseHeaderBytesMax) {
      const found = output.byteLength === 0 ? "nothing" : `${lines.length} lines and no empty one`;
      return { code: "no_cgi_headers", reason: `the program wrote ${found} to its stdout` };
    }
    if (end === -1 || end > limits.responseHeaderBytesMax) {
      return bad(`it has more than ${limits.responseHeaderBytesMax} bytes without an empty line`);
    }
    const line = output.subarray(start, end > start && output[end - 1] === carriageReturn ? end - 1 : end);
    start = end + 1;
    if (line.byteLength === 0) return response(lines, output.subarray(start));
    lines.push(Buffer.from(line.buffer, line.byteOffset, line.byteLength).toString("latin1"));
  }
}

function bad(reason: string): CgiFault {
  return { code: "bad_cgi_headers", reason: `the header block on stdout is not valid: ${reason}` };
}

function response(lines: readonly string[], body: Uint8Array): CgiResponse | CgiFault {
  const headers: string[] = [];
  const found = new Map<string, string>();
  for (const [index, line] of lines.entries()) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(0, colon));
    if (colon === -1) return bad(`line ${index + 1} has no colon: ${shown(line)}`);
    if (!token.test(name)) return bad(`line ${index + 1} has no field name before its colon: ${shown(line)}`);
    const value = line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, "");
    if (!fieldValue.test(value)) return bad(`line ${index + 1} has a control character: ${shown(line)}`);
    const lower = name.toLowerCase();
    if (cgiFields.includes(lower)) {
      if (found.has(lower)) return bad(`there are two fields ${name}`);
      found.set(lower, value);
    }
    if (lower !== "status") headers.push(lower, value);
  }
  if (found.size === 0) return bad("want one of Content-Type, Location and Status");
  const status = found.get("status") ?? (found.has("location") ? "302" : "200");
  // Three digits and a reason, which HTTP has no use for.
  if (!/^[2-5]\d\d(?:[ \t].*)?$/.test(status)) return bad(`the status is ${shown(status)}, want 200 to 599`);
  return { status: Number(status.slice(0, 3)), headers, body };
}

function shown(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text);
}

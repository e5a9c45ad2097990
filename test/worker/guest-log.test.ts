// The log of one call: harmless text, cut lines, a share that ends with a word.

import { strict as assert } from "node:assert";
import { test } from "node:test";
import type { LogLevel } from "../../host/invocation.ts";
import { limits } from "../../host/limits.ts";
import { GuestLog } from "../../host/worker/guest-log.ts";

function collect(): { readonly log: GuestLog; readonly lines: [LogLevel, string][] } {
  const lines: [LogLevel, string][] = [];
  return { log: new GuestLog(([, level, message]) => void lines.push([level, message])), lines };
}

test("control and escape characters become U+FFFD, tabs and line breaks stay", () => {
  const { log, lines } = collect();
  log.write("info", "a\x1b[31m\0\r\x07\u2028\u202eb\tc\nd");
  assert.deepEqual(lines, [["info", "a\ufffd[31m\ufffd\ufffd\ufffd\ufffd\ufffdb\tc\nd"]]);
});

test("a line is kept up to its bytes and cut beyond them, never inside a character", () => {
  const { log, lines } = collect();
  const max = limits.logLineBytesMax;
  log.write("info", "x".repeat(max));
  log.write("info", "x".repeat(max + 1));
  log.write("info", "\u20ac".repeat(max));
  assert.equal(lines[0]?.[1].length, max);
  for (const [, message] of lines.slice(1)) {
    assert.match(message, / \.\.\. \(cut\)$/);
    assert.ok(Buffer.byteLength(message) <= max && !message.includes("\ufffd"));
  }
});

test("a call's share of lines ends with one that says so, and the host's own lines still come", () => {
  const { log, lines } = collect();
  for (let count = 0; count < limits.logLinesPerCallMax + 50; count += 1) log.write("info", "x");
  log.writeOwn("error", "trap");
  assert.equal(lines.length, limits.logLinesPerCallMax + 2);
  assert.match(lines.at(-2)?.[1] ?? "", /^log cut/);
  assert.deepEqual(lines.at(-1), ["error", "trap"]);
  assert.equal(log.lines, lines.length);
});

test("a call's share of bytes ends the same way", () => {
  const { log, lines } = collect();
  const line = "x".repeat(limits.logLineBytesMax);
  const fit = limits.logBytesPerCallMax / limits.logLineBytesMax;
  for (let count = 0; count < fit + 5; count += 1) log.write("info", line);
  assert.equal(lines.length, fit + 1);
  assert.match(lines.at(-1)?.[1] ?? "", /^log cut/);
});

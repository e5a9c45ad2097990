// docs/threat-model.md H12: text that a guest or a client had a say in cannot forge a log line, an event or an
// escape sequence, nor show up in an error answer.

import { strict as assert } from "node:assert";
import { readFile } from "node:fs/promises";
import { get, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { after, test } from "node:test";
import { guest, literal } from "../support/guests.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";

const host = await TestHost.start();
after(() => host.close());

const forged =
  '\n{"time":"2020-01-01T00:00:00.000Z","level":"info","requestId":"forged","version":9,"message":"forged"}\n';
const escapes = "\x1b[2J\x1b]0;owned\x07\r\b\x7f\x9b31m\u2028\u202e\u2066";
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the purpose
const unsafe = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/;

const hostile = `a${escapes}${forged}\n\ndata: forged\n\nz`;
const bytes = Buffer.from(hostile);
const imports = `(import "mayfly" "log" (func $log (param i32 i32 i32)))
  (import "env" "abort" (func $abort (param i32 i32 i32 i32)))
  (import "env" "console.error" (func $console (param i32)))`;
const utf16 = Buffer.from(hostile, "utf16le");
const lengthOf = Buffer.alloc(4);
lengthOf.writeUInt32LE(utf16.length);

test("hostile text reaches the log as one harmless line each, however it is written", async () => {
  const body = `(call $log (i32.const 1) (i32.const 0) (i32.const ${bytes.length})) (call $console (i32.const 1028))
    (call $abort (i32.const 1028) (i32.const 1028) (i32.const 1) (i32.const 2))`;
  const data = `(data (i32.const 0) "${literal(bytes)}") (data (i32.const 1024) "${literal(Buffer.concat([lengthOf, utf16]))}")`;
  await host.deploy("hostile", guest(body, data, imports));
  const answer = await host.call("hostile");
  assertProblem(answer, 502, "guest_trapped");
  assert.doesNotMatch(answer.text, /forged|owned/);
  const lines = await host.logs("hostile");
  assert.equal(lines.length, 3);
  for (const line of lines) {
    assert.equal(line.requestId, answer.header("x-mayfly-request-id"));
    assert.equal(line.version, 1);
    assert.doesNotMatch(line.message, unsafe);
    assert.match(line.message, /^a.*z/s);
  }
  const kept = await readFile(join(host.dataDir, "logs", "hostile", "newer.ndjson"), "utf8");
  assert.equal(kept.trimEnd().split("\n").length, 3);
});

test("hostile text makes no event of its own on the stream", async () => {
  const stream = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`${host.host.url}/v1/functions/hostile/logs?follow=1`, { agent: false }, resolve).on("error", reject);
  });
  stream.setEncoding("utf8");
  let text = "";
  for await (const chunk of stream) {
    text += chunk;
    if (text.split("\n\n").length > 3) break;
  }
  stream.destroy();
  for (const event of text.split("\n\n").filter((part) => part !== "")) {
    assert.match(event, /^data: \{"time":"2\d{3}-[^\n]*$/);
    assert.doesNotMatch(event, unsafe);
  }
});

test("a function's name in the module is harmless in a trap's stack", async () => {
  const name = `evil${escapes}${forged}`.replaceAll('"', "'");
  const module = guest("(call $f)", "(func $f unreachable)");
  // A name section that gives function 0 a hostile name, made by hand.
  const text = Buffer.from(name);
  const leb = (value: number): number[] =>
    value < 128 ? [value] : [(value & 127) | 128, ...leb(value >> 7)];
  const map = [1, 0, ...leb(text.length), ...text];
  const sub = [1, ...leb(map.length), ...map];
  const content = [4, ...Buffer.from("name"), ...sub];
  await host.deploy("named", Buffer.concat([module, Buffer.from([0, ...leb(content.length), ...content])]));
  const answer = await host.call("named");
  assertProblem(answer, 502, "guest_trapped");
  assert.doesNotMatch(answer.text, /evil|forged|owned/);
  const lines = await host.logs("named");
  assert.equal(lines.length, 1);
  assert.match(lines[0]?.message ?? "", /unreachable/);
  assert.doesNotMatch(lines[0]?.message ?? "", unsafe);
});

test("names in a refused upload are harmless in its answer", async () => {
  for (const [fields, moreImports] of [
    ["", `(import "${literal(escapes)}" "${literal(forged)}" (func))`],
    [`(func (export "${literal(escapes)}"))`, ""],
  ] as const) {
    const answer = await host.upload("named", guest("", fields, moreImports));
    for (const value of Object.values(answer.json() as Record<string, unknown>)) {
      if (typeof value === "string") assert.doesNotMatch(value, unsafe);
    }
  }
});

test("a client's own text comes back escaped, in a document that no browser takes for a page", async () => {
  const answer = await host.ask("GET", "/fn/%3Cscript%3Ealert(1)%3C/script%3E");
  assertProblem(answer, 400, "invalid_name");
  const posted = await host.ask("GET", "/v1/functions/x/logs?%1b[2J=%0d%0a", {});
  assert.ok(posted.status >= 400);
  assert.doesNotMatch(posted.text.trimEnd(), unsafe);
  assert.ok(!posted.text.trimEnd().includes("\n"));
  assert.equal(posted.header("x-content-type-options"), "nosniff");
});

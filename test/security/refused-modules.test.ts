// docs/threat-model.md (a): uploads that must never run. Each is refused with the code and the words that name it;
// the function it was meant to replace stays as it was, and the host goes on serving.

import { strict as assert } from "node:assert";
import { after, afterEach, test } from "node:test";
import { gzipSync } from "node:zlib";
import { answering, assemble, guest } from "../support/guests.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";
import * as raw from "../wasm/module-bytes.ts";

const host = await TestHost.start();
after(() => host.close());
await host.deploy("fn", answering("still here"));
afterEach(async () => {
  const answer = await host.call("fn");
  assert.equal(answer.text, "still here");
  assert.equal(answer.header("x-mayfly-version"), "1");
});

type Row = readonly [id: string, what: string, bytes: Uint8Array, code: string, words: RegExp];

function refusals(rows: readonly Row[]): void {
  for (const [id, what, bytes, code, words] of rows) {
    test(`${id}: ${what} is ${code}`, async () => {
      const answer = await host.upload("fn", bytes);
      assertProblem(answer, 422, code);
      assert.match((answer.json() as { detail: string }).detail, words);
    });
  }
}

const entry = `(func (export "mayfly_handle") (param i32))`;
const withMemory = (memory: string, extra: Record<string, boolean> = {}): Uint8Array =>
  assemble(`(module ${memory} ${entry})`, extra);
const typed = (...type: raw.Bytes): Uint8Array => raw.module(raw.types(type));
const coded = (...instructions: raw.Bytes): Uint8Array => raw.codeModule(...instructions);

refusals([
  [
    "A5",
    "shared memory",
    withMemory(`(memory (export "memory") 1 1 shared)`),
    "unsupported_feature",
    /shared-memory/,
  ],
  [
    "A7",
    "a memory of 4 GiB",
    withMemory(`(memory (export "memory") 65536)`),
    "memory_exceeded",
    /65536 pages, limit is 2048/,
  ],
  [
    "A8",
    "two memories",
    withMemory(`(memory (export "memory") 1) (memory 1)`, { multi_memory: true }),
    "unsupported_feature",
    /multi-memory/,
  ],
  [
    "A8",
    "a 64-bit memory",
    withMemory(`(memory (export "memory") i64 1)`),
    "unsupported_feature",
    /memory64/,
  ],
  [
    "A9",
    "a table of ten million elements",
    guest("", "(table 10000000 funcref)"),
    "unsupported_feature",
    /table/,
  ],
  ["A9", "forty tables", guest("", "(table 10 funcref)".repeat(40)), "unsupported_feature", /table/],
  [
    "A9",
    "tables that are too large together",
    guest("", "(table 99999 funcref)".repeat(2)),
    "unsupported_feature",
    /table/,
  ],
  ["A10", "a struct type", typed(0x5f, 0x01, 0x7f, 0x01), "unsupported_feature", /gc/],
  ["A10", "an array type", typed(0x5e, 0x7f, 0x01), "unsupported_feature", /gc/],
  ["A10", "a recursive type group", typed(0x4e, 0x01, 0x5f, 0x00), "unsupported_feature", /gc/],
  ["A10", "a subtype", typed(0x50, 0x00, 0x5f, 0x00), "unsupported_feature", /gc/],
  ["A10", "a final subtype", typed(0x4f, 0x00, 0x5f, 0x00), "unsupported_feature", /gc/],
  [
    "A13",
    "a function of 300 KB",
    coded(new Uint8Array(300_000).fill(0x01)),
    "unsupported_feature",
    /wasmFunctionBytesMax|bytes/,
  ],
  [
    "A15",
    "10,001 types",
    raw.module(raw.section(1, raw.repeat(10_001, raw.functionType()))),
    "unsupported_feature",
    /type/,
  ],
  [
    "A16",
    "a section that claims 4 GiB",
    raw.module([0x01, 0xff, 0xff, 0xff, 0xff, 0x0f]),
    "invalid_module",
    /section/,
  ],
  [
    "A16",
    "a vector that claims 4 billion entries",
    raw.module(raw.section(3, [0xff, 0xff, 0xff, 0xff, 0x0f])),
    "invalid_module",
    /./,
  ],
  ["A16", "a body that claims 4 billion locals", localsBomb(), "unsupported_feature", /local/],
  [
    "A17",
    "30 MB of custom sections",
    raw.module(raw.custom("name", [new Uint8Array(30_000_000)])),
    "unsupported_feature",
    /custom/,
  ],
  [
    "A26",
    "a page size of its own",
    raw.module(raw.section(5, [1, 8, 1, 0])),
    "unsupported_feature",
    /custom-page-sizes/,
  ],
  [
    "A26",
    "wide arithmetic",
    coded(0x42, 0, 0x42, 0, 0x42, 0, 0x42, 0, 0xfc, 0x13, 0x1a, 0x1a),
    "unsupported_feature",
    /wide-arithmetic/,
  ],
  ["A26", "a continuation type", typed(0x5d, 0x00), "unsupported_feature", /stack-switching/],
  ["A26", "an opcode that is none", coded(0xff), "unsupported_feature", /unknown-opcode/],
]);

refusals([
  ["A19", "an empty upload", new Uint8Array(0), "invalid_module", /empty/],
  ["A19", "one byte", new Uint8Array([0]), "invalid_module", /1 byte/],
  ["A19", "the magic number alone", Buffer.from("\0asm"), "invalid_module", /header/],
  [
    "A19",
    "half a component",
    Buffer.from([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0, 1]),
    "invalid_module",
    /component/,
  ],
  ["A19", "WebAssembly text", Buffer.from("(module)"), "invalid_module", /text format/],
  ["A19", "an HTML page", Buffer.from("<!DOCTYPE html><p>404"), "invalid_module", /HTML/],
  ["A19", "gzip data", gzipSync(answering("x")), "invalid_module", /gzip/],
  ["A19", "JSON", Buffer.from('{"a":1}'), "invalid_module", /7 bytes/],
  [
    "A24",
    "a start function that traps",
    guest("", "(func $s unreachable) (start $s)"),
    "start_failed",
    /unreachable/,
  ],
  [
    "A24",
    "a data segment out of bounds",
    guest("", `(data (i32.const 65535) "ab")`),
    "start_failed",
    /data segment/,
  ],
  [
    "A24",
    "an element segment out of bounds",
    guest("", "(table 1 funcref) (func $f) (elem (i32.const 1) $f)"),
    "start_failed",
    /table|element|bounds/,
  ],
  [
    "C10",
    "a start function that reads the request",
    starting("(call $read (i32.const 0))"),
    "start_failed",
    /request_read/,
  ],
  [
    "C10",
    "a start function that answers",
    starting("(call $write (i32.const 0) (i32.const 0))"),
    "start_failed",
    /response_write/,
  ],
  [
    "C10",
    "a start function that swallows the refusal",
    starting("(try (do (call $read (i32.const 0))) (catch_all))"),
    "start_failed",
    /request_read/,
  ],
  [
    "A23",
    "an export of the host's own name",
    guest("", `(global (export "mayfly:grow_refused") i32 (i32.const 1))`),
    "unsupported_feature",
    /mayfly:grow_refused/,
  ],
  [
    "A23",
    "a memory under the entry point's name",
    assemble(`(module (memory (export "mayfly_handle") (export "memory") 1))`),
    "unknown_abi",
    /mayfly_handle/,
  ],
  [
    "A23",
    "a function under the memory's name",
    assemble(`(module (memory 1) (func (export "memory")) ${entry})`),
    "unknown_abi",
    /memory/,
  ],
  ["C7", "no memory export", assemble(`(module (memory 1) ${entry})`), "unknown_abi", /memory/],
  [
    "C7",
    "a global under the memory's name",
    assemble(`(module (global (export "memory") i32 (i32.const 0)) ${entry})`),
    "unknown_abi",
    /memory/,
  ],
  [
    "C6",
    "an entry point that takes an i64",
    assemble(`(module (memory (export "memory") 1) (func (export "mayfly_handle") (param i64)))`),
    "unknown_abi",
    /mayfly_handle/,
  ],
  [
    "C6",
    "an entry point with a result",
    assemble(
      `(module (memory (export "memory") 1) (func (export "mayfly_handle") (param i32) (result externref) (ref.null extern)))`,
    ),
    "unknown_abi",
    /mayfly_handle/,
  ],
]);

test("A2: a start function that loops is start_failed, and calls beside it are answered", async () => {
  const upload = host.upload("fn", guest("", "(func $s (loop (br 0))) (start $s)"));
  for (let count = 0; count < 20; count += 1) assert.equal((await host.call("fn")).text, "still here");
  assertProblem(await upload, 422, "start_failed");
});

test("A9, A10: what would abort a process is tried in another, whose death is a refusal", async () => {
  // A start function that grows 16 tables to the bound and recurses; whatever comes of it, the host lives.
  const tables = Array.from({ length: 16 }, (_, at) => `(table $t${at} 1 100000 funcref)`).join("");
  const grow = Array.from(
    { length: 16 },
    (_, at) => `(drop (table.grow $t${at} (ref.null func) (i32.const 99999)))`,
  );
  const answer = await host.upload("grower", guest("", `${tables} (func $s ${grow.join("")}) (start $s)`));
  assert.ok([201, 422].includes(answer.status), answer.text);
});

/** A body with one group of 2^32 - 1 locals. */
function localsBomb(): Uint8Array {
  const body = raw.sized([1, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x7f, raw.end]);
  return raw.module(
    raw.types(raw.functionType()),
    raw.section(3, [1, 0]),
    raw.section(10, raw.vector([body])),
  );
}

function starting(body: string): Uint8Array {
  return guest(
    "",
    `(func $s ${body}) (start $s)`,
    `(import "mayfly" "request_read" (func $read (param i32)))
     (import "mayfly" "response_write" (func $write (param i32 i32)))`,
  );
}

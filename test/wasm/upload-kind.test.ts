import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { inspectModule, WasmRefusal } from "../../host/wasm/inspect.ts";
import { corpus } from "./corpus.ts";
import { refusalOf } from "./refusal-of.ts";

const text = (value: string) => new TextEncoder().encode(value);

const cases: readonly (readonly [label: string, bytes: Uint8Array, message: RegExp])[] = [
  ["nothing", new Uint8Array(), /the upload is empty/],
  ["one byte", Uint8Array.of(0), /1 byte that begins 00,/],
  ["half a header", Uint8Array.of(0, 0x61, 0x73, 0x6d, 1), /ends after 5 bytes of the header/],
  ["a component", Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0), /WebAssembly component/],
  ["another version", Uint8Array.of(0, 0x61, 0x73, 0x6d, 2, 0, 0, 0), /of version 02 00 00 00/],
  ["text format", text("\n  (module)"), /WebAssembly text format/],
  ["text format with a comment", text(";; hello\n(module)"), /WebAssembly text format/],
  ["HTML", text("\ufeff<!DOCTYPE html><html>"), /HTML or XML/],
  ["gzip", gzipSync("x"), /gzip data/],
  ["zip", Uint8Array.of(0x50, 0x4b, 3, 4, 0), /zip archive/],
  ["something else", text("console.log('1')"), /16 bytes that begin 63 6f 6e/],
];

describe("inspectModule, given what is no module,", () => {
  for (const [label, bytes, message] of cases) {
    it(`names ${label}`, () => {
      const refusal = refusalOf(bytes);
      assert.equal(refusal.code, "invalid_module");
      assert.match(
        refusal.message,
        /^Cannot read the module: the upload .*, wanted a core WebAssembly module/,
      );
      assert.match(refusal.message, message);
    });
  }
});

describe("inspectModule, given a module cut at any byte,", () => {
  for (const { label, bytes } of corpus) {
    it(`refuses or accepts exactly as V8 can read it: ${label}`, () => {
      for (let length = 0; length < bytes.length; length += 1) {
        const cut = bytes.subarray(0, length);
        try {
          inspectModule(cut);
        } catch (error) {
          assert(error instanceof WasmRefusal && error.code === "invalid_module", String(error));
          if (WebAssembly.validate(Uint8Array.from(cut))) {
            assert.fail(`V8 accepts the first ${length} bytes, we say: ${error.message}`);
          }
        }
      }
    });
  }
});

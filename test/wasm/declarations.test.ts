// What is read of a module that runs as it is: its declarations, past all that would be refused.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inspectDeclarations, inspectModule, WasmRefusal } from "../../host/wasm/inspect.ts";
import { assemble } from "../support/guests.ts";
import {
  type Bytes,
  body,
  codeModule,
  functionType,
  i32,
  module,
  name,
  repeat,
  section,
  types,
  vector,
} from "./module-bytes.ts";

const i64 = 0x7e;
const struct: Bytes = [0x5f, 2, i32, 1, 0x78, 0];

function refusalOf(bytes: Uint8Array): WasmRefusal {
  try {
    inspectDeclarations(bytes);
  } catch (error) {
    assert(error instanceof WasmRefusal, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: "the module was accepted" });
}

describe("inspectDeclarations", () => {
  it("agrees with inspectModule on what both take", () => {
    const bytes = assemble(`(module (import "mayfly" "log" (func (param i32 i32 i32)))
      (memory (export "memory") 2 5) (global (export "g") i32 (i32.const 0))
      (func (export "mayfly_handle") (param i32)))`);
    const { imports, exports, memories } = inspectModule(bytes);
    assert.deepEqual(inspectDeclarations(bytes), { imports, exports, memories });
  });

  it("finds the types of functions among structs, arrays, subtypes and groups", () => {
    const bytes = module(
      types(
        struct,
        [0x5e, 0x77, 1],
        [0x4e, 2, [0x50, 0, 0x5f, 1, 0x63, 4, 0], [0x4f, 0, ...functionType([i32])]],
        functionType([i64, 0x6b]),
      ),
      section(2, [1, name("a"), name("b"), 0, 4]),
      section(3, [1, 3]),
      section(6, [1, 0x63, 0, 0, 0xfb, 0x01, 0, 0x0b]),
      section(
        7,
        vector([
          [name("f"), 0, 1],
          [name("g"), 3, 0],
        ]),
      ),
      section(10, vector([body(0xfb, 0x00, 0, 0x1a)])),
    );
    const { imports, exports } = inspectDeclarations(bytes);
    assert.deepEqual(imports, [
      { module: "a", name: "b", kind: "function", type: { params: ["i64", "structref"], results: [] } },
    ]);
    assert.deepEqual(exports, [
      { name: "f", kind: "function", index: 1, type: { params: ["i32"], results: [] } },
      { name: "g", kind: "global", index: 0, type: null },
    ]);
  });

  it("refuses more memories than are worth reading, before it reads them", () => {
    const memories = (count: number): Uint8Array => module(section(5, repeat(count, [0, 0])));
    assert.equal(inspectDeclarations(memories(16)).memories.length, 16);
    const refusal = refusalOf(memories(1_000_000));
    assert.match(refusal.message, /there are 1000000 memories/);
  });

  it("reads several memories, shared and 64-bit ones", () => {
    assert.deepEqual(
      inspectDeclarations(
        module(
          section(
            5,
            vector([
              [3, 1, 2],
              [4, 7],
              [5, 1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40],
            ]),
          ),
        ),
      ).memories,
      [
        { imported: false, initialPages: 1, maximumPages: 2 },
        { imported: false, initialPages: 7, maximumPages: null },
        { imported: false, initialPages: 1, maximumPages: 2 ** 48 },
      ],
    );
  });

  it("says nothing of code that it does not know", () => {
    assert.deepEqual(inspectDeclarations(codeModule(0xff)).imports, []);
  });

  const refused: readonly (readonly [label: string, code: string, words: RegExp, bytes: Uint8Array])[] = [
    ["a continuation type", "unsupported_feature", /stack-switching/, module(types([0x5d, 0]))],
    ["a page size of its own", "unsupported_feature", /custom-page-sizes/, module(section(5, [1, 8, 1, 0]))],
    ["an unknown type form", "invalid_module", /form 0x10/, module(types([0x10]))],
    [
      "an export of the host's own name",
      "unsupported_feature",
      /mayfly:start/,
      module(section(7, [1, name("mayfly:start"), 2, 0])),
    ],
    [
      "too many types in groups",
      "unsupported_feature",
      /10001 types/,
      module(section(1, [2, ...Array.from({ length: 2 }, () => [0x4e, repeat(6_000, struct)])])),
    ],
    [
      "a function of a struct's type",
      "invalid_module",
      /no function type/,
      module(types(struct), section(3, [1, 0]), section(7, [1, name("f"), 0, 0])),
    ],
    ["a start of no wasm", "invalid_module", /./, new Uint8Array(3)],
    ["a type that ends early", "invalid_module", /count of 1/, module(section(1, [1, 0x5f, 1, i32]))],
  ];
  for (const [label, code, words, bytes] of refused) {
    it(`refuses ${label}`, () => {
      const refusal = refusalOf(bytes);
      assert.equal(refusal.code, code, refusal.message);
      assert.match(refusal.message, words);
    });
  }
});

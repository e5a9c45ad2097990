import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inspectModule } from "../../host/wasm/inspect.ts";
import { assemble, corpus } from "./corpus.ts";
import { codeModule, custom, module } from "./module-bytes.ts";

describe("inspectModule", () => {
  it("lists imports and exports with their kinds and signatures", () => {
    const { imports, exports, startFunction, counts } = inspectModule(
      assemble(`(module
        (import "env" "f" (func (param i32 f64) (result i64)))
        (import "env" "g" (global i32)) (import "env" "t" (table 1 funcref)) (import "\\c3\\a9" "" (memory 2 3))
        (tag $t (export "tag") (param i32))
        (func $s) (start $s)
        (func (export "h") (param externref) (result v128 funcref) unreachable)
        (global (export "x") (mut i32) (i32.const 1)) (export "m" (memory 0)))`),
    );
    assert.deepEqual(imports, [
      { module: "env", name: "f", kind: "function", type: { params: ["i32", "f64"], results: ["i64"] } },
      { module: "env", name: "g", kind: "global", type: null },
      { module: "env", name: "t", kind: "table", type: null },
      { module: "é", name: "", kind: "memory", type: null },
    ]);
    assert.deepEqual(exports, [
      { name: "tag", kind: "tag", index: 0, type: null },
      {
        name: "h",
        kind: "function",
        index: 2,
        type: { params: ["externref"], results: ["v128", "funcref"] },
      },
      { name: "x", kind: "global", index: 1, type: null },
      { name: "m", kind: "memory", index: 0, type: null },
    ]);
    assert.equal(startFunction, 1);
    assert.deepEqual(counts, {
      types: 4,
      imports: 4,
      importedFunctions: 1,
      importedGlobals: 1,
      functions: 2,
      globals: 1,
      tags: 1,
      exports: 4,
      elementSegments: 0,
      dataSegments: 0,
    });
  });
  it("reads memories and tables as they are declared, also 4 GiB", () => {
    const { memories, tables } = inspectModule(
      assemble("(module (memory 65536) (table 5 externref) (table 1 9 funcref))"),
    );
    assert.deepEqual(memories, [{ imported: false, initialPages: 65536, maximumPages: null }]);
    assert.deepEqual(tables, [
      { imported: false, elementType: "externref", initialElements: 5, maximumElements: null },
      { imported: false, elementType: "funcref", initialElements: 1, maximumElements: 9 },
    ]);
    assert.deepEqual(inspectModule(assemble('(module (import "a" "b" (memory 1 7)))')).memories, [
      { imported: true, initialPages: 1, maximumPages: 7 },
    ]);
  });
  it("lists custom sections with their sizes", () => {
    assert.deepEqual(inspectModule(module(custom("a", [1, 2]), custom("b"))).customSections, [
      { name: "a", bytes: 6 },
      { name: "b", bytes: 4 },
    ]);
  });
  it("names the proposals used and says whether memory.grow is", () => {
    const byLabel = Object.fromEntries(corpus.map(({ label, bytes }) => [label, inspectModule(bytes)]));
    assert.deepEqual(byLabel["wabt empty"]?.features, []);
    assert.deepEqual(byLabel["wabt grow"]?.features, []);
    assert.equal(byLabel["wabt grow"]?.usesMemoryGrow, true);
    assert.equal(byLabel["wabt plain"]?.usesMemoryGrow, false);
    assert.deepEqual(byLabel["wabt plain"]?.features, ["bulk-memory"]);
    assert.deepEqual(byLabel["wabt simd and atomics"]?.features, [
      "atomics",
      "saturating-conversions",
      "sign-extension",
      "simd",
    ]);
    assert.deepEqual(byLabel["wabt exceptions and references"]?.features, [
      "bulk-memory",
      "exceptions",
      "legacy-exceptions",
      "multi-value",
      "reference-types",
    ]);
  });
  it("agrees with WebAssembly.Module on imports and exports of real modules", () => {
    for (const { bytes, label } of corpus) {
      const compiled = new WebAssembly.Module(Uint8Array.from(bytes));
      const { imports, exports } = inspectModule(bytes);
      const short = (list: readonly { name: string; kind: string }[]) =>
        list.map(({ name, kind }) => ({ name, kind }));
      assert.deepEqual(short(imports), short(WebAssembly.Module.imports(compiled)), label);
      assert.deepEqual(short(exports), short(WebAssembly.Module.exports(compiled)), label);
    }
  });
  it("accepts explicit memory index 0 and numbers longer than needed, as V8 does", () => {
    for (const bytes of [
      codeModule(0x41, 0, 0x28, 0x42, 0, 0, 0x1a),
      codeModule(0x41, 0, 0x28, 2, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0, 0x1a),
      codeModule(0x41, 0, 0x40, 0x80, 0x80, 0, 0x1a),
      codeModule(0x43, 0, 0, 0, 0, 0xfc, 0x80, 0, 0x1a),
    ]) {
      assert(WebAssembly.validate(Uint8Array.from(bytes)));
      inspectModule(bytes);
    }
  });
  it("does not change the bytes", () => {
    for (const { bytes } of corpus) {
      const before = Uint8Array.from(bytes);
      inspectModule(bytes);
      assert.deepEqual(bytes, before);
    }
  });
});

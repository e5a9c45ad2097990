import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { inspectModule, WasmRefusal } from "../../../host/wasm/inspect.ts";
import { prepareModule } from "../../../host/wasm/prepare.ts";
import { compiled } from "../../support/compiled.ts";
import { assemble, corpus } from "../corpus.ts";
import { body, functionType, i32, leb, module, section, sized, types, vector } from "../module-bytes.ts";
import { meter } from "./counting.ts";
import { goOn, start, stopAt } from "./start.ts";

const examples = join(import.meta.dirname, "../../../guest/examples");

describe("prepareModule with meter", () => {
  for (const { label, bytes } of corpus) {
    it(`makes a valid module, the same each time, of at most 6 times the size: ${label}`, () => {
      const metered = meter(bytes);
      assert(WebAssembly.validate(metered));
      assert.deepEqual(meter(bytes), metered);
      assert(metered.length <= 6 * bytes.length + 300, `${bytes.length} to ${metered.length} bytes`);
      const source = new WebAssembly.Module(Uint8Array.from(bytes));
      const exported = WebAssembly.Module.exports(new WebAssembly.Module(metered));
      for (const one of WebAssembly.Module.exports(source))
        assert(exported.some(({ name }) => name === one.name));
    });
  }

  for (const example of ["hello", "json-api", "mandelbrot", "markdown", "qr"]) {
    it(`makes a valid module, at most twice the size, of the example ${example}`, async () => {
      const wasm = await compiled(join(examples, example, "index.ts"));
      const metered = meter(wasm);
      assert(WebAssembly.validate(metered));
      assert(metered.length < 2 * wasm.length, `${wasm.length} to ${metered.length} bytes`);
    });
  }

  it("leaves a module without loop and recursion without checks", () => {
    const bytes = assemble(
      `(module (func $f (export "f") (result i32) (i32.const 1)) (func (export "g") (drop (call $f))))`,
    );
    assert.deepEqual(meter(bytes), prepareModule(bytes, inspectModule(bytes)));
  });

  it("exports the start function in place of having it run", () => {
    let calls = 0;
    const note = (): void => {
      calls += 1;
    };
    const text = `(import "env" "note" (func $note))`;
    for (const bytes of [
      assemble(`(module ${text} (func $s (call $note)) (start $s))`),
      assemble(`(module ${text} (start $note) (func (export "run") (loop $l (br $l))))`),
      assemble(
        `(module ${text} (func $s (loop $l (call $note) (br_if $l (i32.const 0)))) (start $s) (func (export "x") (call $s)))`,
      ),
    ]) {
      calls = 0;
      const exports = start(bytes, goOn, { env: { note } });
      assert.equal(calls, 0);
      exports["mayfly:start"]?.();
      assert.equal(calls, 1);
    }
  });

  it("keeps functions' names, so that a stack names the guest's functions, wrapped ones too", () => {
    const bytes =
      assemble(`(module (import "env" "note" (func $note)) (table 1 funcref) (elem (i32.const 0) $deep)
      (func $unused) (func $deep (param $k i32) (if (local.get $k) (then (call $deep (i32.sub (local.get $k) (i32.const 1))))
        (else (call $boom))))
      (func $boom (loop $l (br_if $l (i32.const 0))) unreachable)
      (func $entry (export "run") (call_indirect (param i32) (i32.const 3) (i32.const 0))))`);
    const { run } = start(bytes, goOn, { env: { note: () => {} } });
    assert.throws(
      () => run?.(),
      (error) => {
        assert(error instanceof WebAssembly.RuntimeError);
        const names = [...(error.stack ?? "").matchAll(/at (\S+) \(wasm:/g)].map(([, name]) =>
          (name ?? "").replace(/^.*\./, ""),
        );
        assert.deepEqual([...new Set(names)], ["boom", "deep", "entry"]);
        return true;
      },
    );
  });

  it("drops a name section that it cannot read", () => {
    const broken = assemble(`(module (func $a (export "run") (loop $l (br $l))))`);
    const at = broken.lastIndexOf(0x61);
    broken[at - 1] = 0x7f;
    assert.throws(() => start(broken, stopAt(2))["run"]?.(), /unreachable/);
  });

  it("remaps functions in every place that names one", () => {
    const bytes = assemble(`(module
      (import "env" "note" (func $note (param i32)))
      (type $t (func (result i32)))
      (global $g (export "g") funcref (ref.func $two))
      (table $table (export "table") 8 funcref)
      (elem (i32.const 0) $one $two)
      (elem (table $table) (i32.const 2) funcref (ref.func $two) (ref.null func))
      (elem $passive func $two $one)
      (elem declare func $one)
      (func $one (type $t) (loop $l (br_if $l (i32.const 0))) (i32.const 1))
      (func $two (export "two") (type $t) (call $note (call $one)) (i32.const 2))
      (func (export "init") (table.init $passive (i32.const 4) (i32.const 0) (i32.const 2)))
      (func (export "at") (param i32) (result i32) (call_indirect (type $t) (local.get 0)))
      (func (export "reference") (result funcref) (ref.func $one)))`);
    const notes: number[] = [];
    const note = (value: number): number => notes.push(value);
    const exports = start(bytes, goOn, { env: { note } });
    exports["init"]?.();
    assert.deepEqual(
      [0, 1, 2, 4, 5].map((index) => exports["at"]?.(index)),
      [1, 2, 2, 2, 1],
    );
    const { g, table } = exports as WebAssembly.Exports;
    assert(g instanceof WebAssembly.Global && table instanceof WebAssembly.Table);
    assert.equal(g.value(), 2);
    assert.equal(g.value, exports["two"]);
    assert.equal(table.get(0), exports["reference"]?.());
    assert.equal(table.get(0)(), 1);
    assert.deepEqual(notes, [1, 1, 1, 1]);
  });

  it("refuses a body that has no room for its locals, naming function and offset", () => {
    const locals = (count: number): Uint8Array =>
      module(
        types(functionType()),
        section(3, [1, 0]),
        section(10, vector([sized([1, leb(count), i32, 0x03, 0x40, 0x0c, 0, 0x0b, 0x0b])])),
      );
    assert(WebAssembly.validate(meter(locals(49_998))));
    assert.throws(
      () => meter(locals(49_999)),
      (error) =>
        error instanceof WasmRefusal &&
        error.code === "unsupported_feature" &&
        error.feature === "wasmLocalsMax" &&
        error.functionIndex === 0 &&
        error.offset !== null,
    );
  });

  it("refuses a tail call whose results fit only in the metered form", () => {
    // Function 0 has no result; metered it has the countdown, where function 1 would put its own.
    const bytes = module(
      types(functionType(), functionType([], [i32])),
      section(3, [2, 0, 1]),
      section(10, vector([body(0x10, 0, 0x12, 1), body(0x41, 0)])),
    );
    assert(!WebAssembly.validate(Uint8Array.from(bytes)));
    assert.throws(
      () => meter(bytes),
      (error) => error instanceof WasmRefusal && error.code === "invalid_module" && error.functionIndex === 0,
    );
  });

  it("makes bodies at most 10 times longer, whatever they are made of", () => {
    for (const piece of [
      [0x03, 0x40, 0x41, 0, 0x0d, 0, 0x0b],
      [0x10, 0],
      [0x41, 0, 0x11, 0, 0],
      [0x0f],
      [0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 0x0b, 0],
      [0x06, 0x40, 0x19, 0x0b],
      [0x41, 0, 0x40, 0, 0x1a],
      [0x03, 0x40, 0x0c, 0, 0x0b],
    ]) {
      const code = Uint8Array.from({ length: 30_000 }, (_, at) => piece[at % piece.length] as number);
      const whole = code.subarray(0, code.length - (code.length % piece.length));
      const bytes = module(
        types(functionType()),
        section(3, [1, 0]),
        section(4, [1, 0x70, 0, 1]),
        section(5, [1, 0, 1]),
        section(10, vector([body(whole)])),
      );
      const metered = meter(bytes);
      assert(WebAssembly.validate(metered), `${piece}`);
      assert(metered.length < 10 * bytes.length, `${piece}: ${bytes.length} to ${metered.length} bytes`);
    }
  });
});

describe("inspectModule", () => {
  const text = `(module (func $r (export "run") (return_call $r)))`;
  it("refuses tail calls unless the module will be metered", () => {
    assert.throws(() => inspectModule(assemble(text)), /tail-calls/);
    assert.deepEqual(inspectModule(assemble(text), { metered: true }).features, ["tail-calls"]);
  });
  it("refuses the other features that cannot be contained when metered, too", () => {
    for (const refused of ["(memory 1 1 shared)", "(memory i64 1)", "(memory 1) (memory 1)"]) {
      assert.throws(() => inspectModule(assemble(`(module ${refused})`), { metered: true }), WasmRefusal);
    }
    const gc = module([1, [3, 1, 0x5f, 0]]);
    assert.throws(() => inspectModule(gc, { metered: true }), /gc/);
  });
});

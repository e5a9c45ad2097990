import assert from "node:assert/strict";
import { describe, it } from "node:test";
import binaryen from "binaryen";
import { inspectModule, WasmRefusal } from "../../../host/wasm/inspect.ts";
import { prepareModule } from "../../../host/wasm/prepare.ts";
import { assemble, corpus } from "../corpus.ts";
import { body, functionType, i32, leb, module, section, sized, types, vector } from "../module-bytes.ts";
import { meter } from "./counting.ts";

type Exports = Record<string, (...values: unknown[]) => unknown>;

/** The metered module's exports; `answer` is what the check says each time. */
function start(
  bytes: Uint8Array,
  answer: (check: number) => number,
  imports: WebAssembly.Imports = {},
): Exports {
  let checks = 0;
  const check = (): number => {
    checks += 1;
    return answer(checks);
  };
  const memory = new WebAssembly.Memory({
    initial: inspectModule(bytes, { metered: true }).memories[0]?.initialPages ?? 0,
    maximum: 2048,
  });
  const host = { check, memory };
  const compiled = new WebAssembly.Module(meter(bytes));
  return new WebAssembly.Instance(compiled, { ...imports, "mayfly:host": host }).exports as Exports;
}

/** For typed function references, which wabt does not read. */
function assembleByBinaryen(text: string): Uint8Array {
  const parsed = binaryen.parseText(`(module ${text})`);
  try {
    parsed.setFeatures(binaryen.Features.All & ~binaryen.Features.GC);
    return Uint8Array.from(parsed.emitBinary());
  } finally {
    parsed.dispose();
  }
}

const goOn = (): number => 0;
const stopAt = (last: number) => (check: number) => (check >= last ? 1 : 0);

/** Each calls `check` again and again, and would run for ever. */
const endless: readonly (readonly [label: string, text: string])[] = [
  ["an empty loop", `(func (export "run") (loop $l (br $l)))`],
  ["a loop by br_if", `(func (export "run") (loop $l (br_if $l (i32.const 1))))`],
  ["a loop by br_table", `(func (export "run") (loop $l (block $b (br_table $l $b $l (i32.const 0)))))`],
  [
    "a loop by br_on_null",
    `(func (export "run") (local funcref) (loop $l (br_on_null $l (local.get 0)) (drop)))`,
  ],
  [
    "a loop by br_on_non_null",
    `(type $t (func)) (elem declare func $f) (func $f)
     (func (export "run") (loop $l (drop (block $b (result (ref $t)) (br_on_non_null $b (ref.func $f)) (br $l))) (br $l)))`,
  ],
  [
    "a loop with a parameter",
    `(func (export "run") (i32.const 1) (loop $l (param i32) (drop) (i32.const 2) (br $l)))`,
  ],
  [
    "a loop in an arm",
    `(func (export "run") (if (i32.const 1) (then (loop $l (br $l))) (else (loop $m (br $m)))))`,
  ],
  ["a loop left by no way", `(func (export "run") (result i32 i64) (loop $l (result i32 i64) (br $l)))`],
  ["loops in loops", `(func (export "run") (loop $o (loop $l (br_if $l (i32.const 0)) (br $o))))`],
  [
    "a loop around an unchecked call",
    `(func $f (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
     (func (export "run") (local i32) (loop $l (local.set 0 (call $f (local.get 0))) (br $l)))`,
  ],
  [
    "a loop around an indirect call",
    `(table 1 funcref) (elem (i32.const 0) $f) (func $f)
     (func (export "run") (loop $l (call_indirect (i32.const 0)) (br $l)))`,
  ],
  [
    "a loop around a call by reference",
    `(type $t (func)) (elem declare func $f) (func $f)
     (func (export "run") (loop $l (call_ref $t (ref.func $f)) (br $l)))`,
  ],
  [
    "functions that call one another and return",
    `(global $n (mut i32) (i32.const 0))
     (func $a (param i32) (if (local.get 0) (then (call $b (i32.sub (local.get 0) (i32.const 1))) (call $b (i32.sub (local.get 0) (i32.const 1))))))
     (func $b (param i32) (if (local.get 0) (then (call $a (i32.sub (local.get 0) (i32.const 1))) (call $a (i32.sub (local.get 0) (i32.const 1))))))
     (func (export "run") (call $a (i32.const 60)))`,
  ],
  [
    "recursion through a table",
    `(table 1 funcref) (elem (i32.const 0) $a) (type $t (func (param i32)))
     (func $a (param i32) (if (local.get 0) (then
       (call_indirect (type $t) (i32.sub (local.get 0) (i32.const 1)) (i32.const 0))
       (call_indirect (type $t) (i32.sub (local.get 0) (i32.const 1)) (i32.const 0)))))
     (func (export "run") (call $a (i32.const 60)))`,
  ],
  [
    "40 functions that each call the next twice",
    `(func $f0 nop nop nop)
     ${Array.from({ length: 39 }, (_, n) => `(func $f${n + 1} (call $f${n}) (call $f${n}))`).join("")}
     (func (export "run") (call $f39))`,
  ],
  ["a tail call to itself", `(func $r (export "run") (return_call $r))`],
  [
    "tail calls in a ring",
    `(func $a (export "run") (return_call $b)) (func $b (return_call $c)) (func $c (return_call $a))`,
  ],
  [
    "tail calls through a table",
    `(table 2 funcref) (elem (i32.const 0) $a $b) (type $t (func (param i32) (result i64)))
     (func $a (param i32) (result i64) (return_call_indirect (type $t) (i32.const 1) (i32.const 1)))
     (func $b (param i32) (result i64) (return_call_indirect (type $t) (i32.const 0) (i32.const 0)))
     (func (export "run") (result i64) (return_call $a (i32.const 3)))`,
  ],
  [
    "a tail call by reference",
    `(type $t (func)) (elem declare func $a)
     (func $a (export "run") (return_call_ref $t (ref.func $a)))`,
  ],
  [
    "tail calls from a passed function to a stored one and back",
    `(type $t (func (param i32))) (table 1 funcref) (elem (i32.const 0) $a)
     (func $a (param i32) (return_call $b (local.get 0)))
     (func $b (param i32) (return_call_indirect (type $t) (local.get 0) (i32.const 0)))
     (func $c (param i32) (return_call $a (local.get 0)))
     (func (export "run") (call $c (i32.const 1)) (call $a (i32.const 1)))`,
  ],
  [
    "memory.fill of nothing",
    `(memory 1) (func (export "run") (loop $l (memory.fill (i32.const 0) (i32.const 1) (i32.const 0)) (br $l)))`,
  ],
  [
    "exceptions thrown and caught",
    `(tag $e) (func $f (throw $e)) (func (export "run") (loop $l (try (do (call $f)) (catch $e)) (br $l)))`,
  ],
  [
    "a catch that throws on",
    `(tag $e) (func (export "run")
       (loop $l (try (do (try $t (do (throw $e)) (catch_all (rethrow $t)))) (catch_all)) (br $l)))`,
  ],
  [
    "a delegated exception",
    `(tag $e) (func $f (throw $e))
     (func (export "run") (loop $l (try $t (do (try (do (call $f)) (delegate $t))) (catch_all)) (br $l)))`,
  ],
  ["memory.grow", `(memory 1) (func (export "run") (loop $l (drop (memory.grow (i32.const 0))) (br $l)))`],
  [
    "table.grow of nothing",
    `(table 1 2 funcref) (func (export "run") (loop $l (drop (table.grow 0 (ref.null func) (i32.const 0))) (br $l)))`,
  ],
];

describe("A metered guest that runs for ever", () => {
  for (const [label, text] of endless) {
    it(`is stopped by a trap: ${label}`, () => {
      const bytes =
        text.includes("_ref ") || text.includes("br_on")
          ? assembleByBinaryen(text)
          : assemble(`(module ${text})`);
      assert(WebAssembly.validate(Uint8Array.from(bytes)), "the program is not valid");
      let checks = 0;
      const { run } = start(bytes, (check) => {
        checks = check;
        return check >= 5 ? 1 : 0;
      });
      assert.throws(
        () => run?.(),
        (error) => error instanceof WebAssembly.RuntimeError && /unreachable/.test(error.message),
      );
      assert.equal(checks, 5);
    });
  }

  it("is stopped inside of a try block that catches all, in both forms", () => {
    const loop = "(loop $l (br $l))";
    const legacy = assemble(`(module (func $f ${loop})
      (func (export "run") (result i32) (try (result i32) (do (call $f) (i32.const 1)) (catch_all (i32.const 2)))))`);
    // block $b  try_table (catch_all $b)  call 0  unreachable  end  unreachable  end  i32.const 2
    const current = module(
      types(functionType(), functionType([], [i32])),
      section(3, [2, 0, 1]),
      section(7, [1, sized([0x72, 0x75, 0x6e]), 0, 1]),
      section(
        10,
        vector([
          body(0x03, 0x40, 0x0c, 0, 0x0b),
          body(0x02, 0x40, 0x1f, 0x40, 1, 2, 0, 0x10, 0, 0x00, 0x0b, 0x00, 0x0b, 0x41, 2),
        ]),
      ),
    );
    for (const bytes of [legacy, current]) {
      assert.throws(() => start(bytes, stopAt(3))["run"]?.(), /unreachable/);
    }
  });

  it("is stopped at the first check when the host says so", () => {
    const bytes = assemble(`(module (func (export "run") (loop $l (br $l))))`);
    assert.throws(() => start(bytes, stopAt(1))["run"]?.(), /unreachable/);
  });

  it("is checked across calls of short exports", () => {
    const bytes = assemble(
      `(module (func (export "run") (param i32) (loop $l (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))`,
    );
    let checks = 0;
    const { run } = start(bytes, (check) => {
      checks = check;
      return 0;
    });
    for (let call = 0; call < 100; call += 1) run?.(1_000);
    assert(checks > 3, `${checks} checks`);
  });
});

describe("Bulk operations", () => {
  const bulk: readonly (readonly [label: string, text: string, setup: string])[] = [
    ["memory.fill", "(memory.fill (i32.const 0) (i32.const 7) (i32.const 65536))", "(memory 1)"],
    ["memory.copy", "(memory.copy (i32.const 0) (i32.const 1) (i32.const 65000))", "(memory 1)"],
    [
      "memory.init",
      "(memory.init 0 (i32.const 0) (i32.const 0) (i32.const 60000))",
      `(memory 1) (data "${"a".repeat(60_000)}")`,
    ],
    ["table.fill", "(table.fill 0 (i32.const 0) (ref.null func) (i32.const 9000))", "(table 9000 funcref)"],
    ["table.copy", "(table.copy (i32.const 0) (i32.const 1) (i32.const 8999))", "(table 9000 funcref)"],
    [
      "table.init",
      "(table.init 0 (i32.const 0) (i32.const 0) (i32.const 8000))",
      `(table 9000 funcref) (elem func ${"$f ".repeat(8_000)}) (func $f)`,
    ],
  ];
  for (const [label, text, setup] of bulk) {
    it(`count by their length: ${label}`, () => {
      const turns = 100;
      const bytes =
        assemble(`(module ${setup} (func (export "run") (local i32) (local.set 0 (i32.const ${turns}))
        (loop $l ${text} (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))`);
      let checks = 0;
      start(bytes, (check) => {
        checks = check;
        return 0;
      })["run"]?.();
      assert(checks >= turns / 20, `${checks} checks`);
    });
  }

  it("of lengths that trap do not turn the countdown around", () => {
    for (const text of [
      "(drop (table.grow 0 (ref.null func) (i32.const -1)))",
      "(drop (table.grow 0 (ref.null func) (i32.const 0x10000001)))",
      "(drop (memory.grow (i32.const -1)))",
    ]) {
      const bytes = assemble(
        `(module (memory 1) (table 1 10 funcref) (func (export "run") ${text} (loop $l (br $l))))`,
      );
      assert.throws(() => start(bytes, stopAt(4))["run"]?.(), /unreachable/, text);
    }
  });
});

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

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  globalPrefix,
  growRefusedName,
  hostMemoryName,
  hostModuleName,
  refusedBy,
} from "../../host/prepared-names.ts";
import { inspectModule } from "../../host/wasm/inspect.ts";
import { prepareModule } from "../../host/wasm/prepare.ts";
import { readSections, sectionId } from "../../host/wasm/sections.ts";
import { assemble, corpus, growText } from "./corpus.ts";
import {
  body,
  custom,
  end,
  flatten,
  functionType,
  i32,
  leb,
  module,
  section,
  sized,
  types,
  vector,
} from "./module-bytes.ts";

type Exports = Record<string, (...values: number[]) => number>;
type Run = { readonly exports: Exports; readonly memory: WebAssembly.Memory; readonly refused: () => number };

const prepare = (bytes: Uint8Array) => prepareModule(bytes, inspectModule(bytes));
const imports = { env: { note: () => {}, abort: () => {}, seed: () => 1 } };

/** Runs the prepared form with a memory of at most `maximumPages`. */
function run(bytes: Uint8Array, maximumPages: number): Run {
  const { memories } = inspectModule(bytes);
  const memory = new WebAssembly.Memory({ initial: memories[0]?.initialPages ?? 0, maximum: maximumPages });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(prepare(bytes)), {
    ...imports,
    [hostModuleName]: { [hostMemoryName]: memory },
  });
  const flag = instance.exports[growRefusedName];
  const refused = () => (flag instanceof WebAssembly.Global ? flag.value : -1);
  return { exports: instance.exports as Exports, memory, refused };
}

function original(bytes: Uint8Array): Exports {
  return new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(bytes)), imports).exports as Exports;
}

const call = (exports: Exports, name: string, ...values: number[]): number => {
  const exported = exports[name];
  assert(exported, `no export ${name}`);
  return exported(...values);
};

const customNames = (bytes: Uint8Array): string[] =>
  readSections(bytes)
    .filter(({ id }) => id === sectionId.custom)
    .map(({ name }) => name);

describe("prepareModule", () => {
  for (const { label, bytes } of corpus) {
    it(`makes a valid module with the same imports and exports of: ${label}`, () => {
      const inspection = inspectModule(bytes);
      const before = Uint8Array.from(bytes);
      const prepared = prepareModule(bytes, inspection);
      assert.deepEqual(bytes, before);
      assert.deepEqual(prepareModule(bytes, inspection), prepared);
      const compiled = new WebAssembly.Module(prepared);
      const own = inspection.memories.some(({ imported }) => !imported);
      const added = own ? [{ module: hostModuleName, name: hostMemoryName, kind: "memory" }] : [];
      const source = new WebAssembly.Module(before);
      assert.deepEqual(WebAssembly.Module.imports(compiled), [
        ...WebAssembly.Module.imports(source),
        ...added,
      ]);
      const flag = inspection.usesMemoryGrow ? [{ name: growRefusedName, kind: "global" }] : [];
      const globals = (inspection.resettableGlobals ?? []).map((index) => ({
        name: `${globalPrefix}${index}`,
        kind: "global",
      }));
      assert.deepEqual(WebAssembly.Module.exports(compiled), [
        ...WebAssembly.Module.exports(source),
        ...flag,
        ...globals,
      ]);
    });
  }

  it("lets a growth within the host's maximum succeed and leaves the flag 0", () => {
    const { exports, memory, refused } = run(assemble(growText), 4);
    assert.equal(call(exports, "grow", 2), 1);
    assert.equal(memory.buffer.byteLength, 3 * 65536);
    assert.equal(refused(), 0);
    assert.equal(call(exports, "grow", 0), 3);
    assert.equal(call(exports, "count"), 2);
    assert.equal(refused(), 0);
  });

  it("answers -1 beyond the host's maximum and sets the flag to 1, for good", () => {
    const { exports, refused } = run(assemble(growText), 4);
    assert.equal(call(exports, "grow", 4), -1);
    assert.equal(refused(), 1);
    assert.equal(call(exports, "grow", 1), 1);
    assert.equal(refused(), 1);
    const other = run(assemble(growText), 4);
    assert.equal(call(other.exports, "grow", -1), -1);
    assert.equal(other.refused(), 1);
  });

  it("behaves as the original when the host's maximum is the declared one", () => {
    const bytes = assemble(growText);
    for (const [name, ...values] of [
      ["nested", 3],
      ["nested", 20],
      ["grow", 7],
      ["grow", 8],
      ["byte", 16],
      ["byte", 20],
      ["through_table", 0, 2],
      ["through_table", 1, 3],
      ["count"],
    ] as const) {
      const { exports } = run(bytes, 8);
      assert.equal(
        call(exports, name, ...values),
        call(original(bytes), name, ...values),
        `${name} ${values}`,
      );
    }
    const { exports, refused } = run(bytes, 8);
    assert.equal(call(exports, "nested", 20), -7);
    assert.equal(refused(), 1);
  });

  it("gives the guest the host's memory under index 0, with its data, and exports it as before", () => {
    const { exports, memory } = run(assemble(growText), 4);
    assert.equal(new TextDecoder().decode(new Uint8Array(memory.buffer, 16, 5)), "hello");
    assert.equal(exports.memory as unknown, memory);
  });

  it("traps as the original on data that does not fit", () => {
    const bytes = assemble(`(module (memory 1) (data (i32.const 65535) "ab"))`);
    assert.throws(() => original(bytes), WebAssembly.RuntimeError);
    assert.throws(() => run(bytes, 4), WebAssembly.RuntimeError);
  });

  it("keeps the declared minimum and drops the maximum from the import only", () => {
    const bytes = assemble("(module (memory 3 5))");
    const prepared = inspectModule(prepare(bytes));
    assert.deepEqual(prepared.memories, [{ imported: true, initialPages: 3, maximumPages: null }]);
    assert.deepEqual(inspectModule(bytes).memories, [{ imported: false, initialPages: 3, maximumPages: 5 }]);
    assert.throws(() => {
      const memory = new WebAssembly.Memory({ initial: 2 });
      new WebAssembly.Instance(new WebAssembly.Module(prepare(bytes)), { [hostModuleName]: { memory } });
    }, WebAssembly.LinkError);
  });

  it("asks the host for room before a metered guest grows, and says which of the two refused", () => {
    const bytes = assemble(growText);
    const metered = prepareModule(bytes, inspectModule(bytes, { metered: true }), { meter: true });
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 4 });
    const asked: number[] = [];
    let room = 0;
    const grow = (pages: number): number => {
      asked.push(pages);
      return room;
    };
    const host = { memory, check: () => 0, pause: () => 0, turn: () => 0, grow };
    const instance = new WebAssembly.Instance(new WebAssembly.Module(metered), {
      ...imports,
      [hostModuleName]: host,
    });
    const exports = instance.exports as Exports;
    const flag = instance.exports[growRefusedName] as WebAssembly.Global;
    assert.deepEqual([call(exports, "grow", 2), flag.value], [-1, refusedBy.host]);
    assert.equal(memory.buffer.byteLength, 65_536);
    room = 1;
    assert.deepEqual([call(exports, "grow", 2), memory.buffer.byteLength], [1, 3 * 65_536]);
    assert.deepEqual([call(exports, "grow", 2), flag.value], [-1, refusedBy.maximum]);
    assert.deepEqual(asked, [2, 2, 2]);
  });

  it("leaves a module without memory, or with an imported one, without a new import", () => {
    for (const text of ["(module)", "(module (func))", `(module (import "a" "b" (memory 1 2)))`]) {
      const bytes = assemble(text);
      assert.deepEqual(Uint8Array.from(prepare(bytes)), Uint8Array.from(bytes));
    }
    const growing = assemble(
      `(module (import "a" "b" (memory 1 2)) (func (export "f") (drop (memory.grow (i32.const 9)))))`,
    );
    const prepared = prepare(growing);
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 2 });
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(prepared), { a: { b: memory } });
    call(exports as Exports, "f");
    assert.equal((exports[growRefusedName] as WebAssembly.Global).value, 1);
  });

  it("creates the sections a module lacks, in the order they must have", () => {
    const text = `(module (tag) (memory 1) (table 1 funcref) (func $s (drop (memory.grow (i32.const 1)))) (start $s)
      (elem (i32.const 0) $s) (data "x") (func (data.drop 0)))`;
    const prepared = prepare(assemble(text));
    assert(WebAssembly.validate(prepared));
    const ids = readSections(prepared).map(({ id }) => id);
    assert.deepEqual(
      ids.filter((id) => id !== 0),
      [1, 2, 3, 4, 13, 6, 7, 8, 9, 12, 10, 11],
    );
    run(assemble(text), 2);
  });

  it("keeps custom sections in place, but for those that hold offsets of code", () => {
    const bytes = module(
      custom("first", [1]),
      types(functionType()),
      custom("sourceMappingURL", [2]),
      section(3, [1, 0]),
      section(5, [1, 0, 1]),
      custom("metadata.code.branch_hint", [0]),
      section(10, vector([body()])),
      custom(".debug_info", [3]),
      custom("name", [1, 1, 0]),
      custom("producers", [0]),
    );
    const prepared = prepare(bytes);
    assert(WebAssembly.validate(prepared));
    assert.deepEqual(customNames(prepared), ["first", "sourceMappingURL", "name", "producers"]);
    const ids = readSections(prepared).map(({ id }) => id);
    assert.deepEqual(ids, [0, 1, 0, 2, 3, 10, 0, 0]);
  });

  it("keeps functions' names, so a trap names the guest's function", () => {
    const { exports } = run(
      assemble(
        `(module (memory 1) (func $boom (export "f") (drop (memory.grow (i32.const 1))) unreachable))`,
      ),
      2,
    );
    assert.throws(
      () => call(exports, "f"),
      (error) => error instanceof WebAssembly.RuntimeError && /boom/.test(error.stack ?? ""),
    );
  });

  it("rewrites bodies whose size needs more bytes, longer encodings and unreachable growth", () => {
    // 200 functions first, so that the call's index takes two bytes; 60 growths lengthen the body past 127.
    const grows = Array.from({ length: 60 }, () => [0x40, 0x80, 0x80, 0x00]);
    const chain = sized([0, 0x20, 0, ...grows.slice(0, 25), 0x40, 0, end]);
    const others = Array.from({ length: 200 }, () => sized([0, 0x00, 0x40, 0, end]));
    const bytes = module(
      types(functionType([i32], [i32])),
      section(3, [leb(201), ...Array.from({ length: 201 }, () => 0)]),
      section(5, [1, 1, 1, 9]),
      section(7, [1, 1, 0x66, 0, leb(200)]),
      section(10, vector([...others, chain])),
    );
    assert(WebAssembly.validate(Uint8Array.from(bytes)));
    const { exports, refused } = run(bytes, 9);
    // 1 -> grows by 1 (answer 1), by 1 (answer 2), by 2 (3), by 3 (5), by 5 (8: refused, -1), by -1 …
    assert.equal(call(exports, "f", 1), call(original(bytes), "f", 1));
    assert.equal(refused(), 1);
  });

  it("does not run out of memory on bodies of nothing but memory.grow", () => {
    const size = 200_000;
    const pairs = new Uint8Array(size).map((_, index) => (index % 2 === 0 ? 0x40 : 0));
    const one = flatten(sized([0, 0x41, 0, pairs, 0x1a, end]));
    const count = 60;
    const bytes = module(
      types(functionType()),
      section(3, [count, new Uint8Array(count)]),
      section(5, [1, 0, 1]),
      section(10, [count, ...Array.from({ length: count }, () => one)]),
    );
    const prepared = prepare(bytes);
    assert(prepared.length > count * size);
    assert(WebAssembly.validate(prepared));
  });

  it("runs AssemblyScript as the original does", () => {
    for (const { label, bytes } of corpus) {
      if (!label.startsWith("AssemblyScript")) continue;
      assert.equal(inspectModule(bytes).usesMemoryGrow, true, label);
      const { exports, refused } = run(bytes, 100);
      for (const n of [1, 10, 300])
        assert.equal(call(exports, "churn", n), call(original(bytes), "churn", n), label);
      assert.equal(refused(), 0, label);
      const small = run(bytes, inspectModule(bytes).memories[0]?.initialPages ?? 0);
      assert.throws(() => call(small.exports, "churn", 100_000), label);
      assert.equal(small.refused(), 1, label);
    }
  });
});

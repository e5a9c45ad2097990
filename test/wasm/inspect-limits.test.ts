import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type LimitName, limits } from "../../host/limits.ts";
import { inspectModule } from "../../host/wasm/inspect.ts";
import { prepareModule } from "../../host/wasm/prepare.ts";
import {
  type Bytes,
  body,
  custom,
  end,
  flatten,
  functionType,
  i32,
  leb,
  module,
  name,
  repeat,
  section,
  sized,
  types,
  vector,
} from "./module-bytes.ts";
import { refusalOf } from "./refusal-of.ts";

const emptyFunction: Bytes = [types(functionType()), section(3, [1, 0])];
const zero: Bytes = [0x41, 0, end];

/** A module whose one body has `size` bytes. */
const bodyOf = (size: number): Uint8Array =>
  module(emptyFunction, section(10, vector([sized([0, new Uint8Array(size - 2).fill(0x01), end])])));

const localsOf = (params: number, locals: number): Uint8Array =>
  module(
    types(functionType(Array.from({ length: params }, () => i32))),
    section(3, [1, 0]),
    section(10, vector([sized([2, leb(1), 0x7e, leb(locals - 1), i32, end])])),
  );

const exportsOf = (count: number): Uint8Array => {
  const names = Array.from({ length: count }, (_, index) => [name(`e${index}`), 0, 0]);
  return module(emptyFunction, section(7, vector(names)), section(10, vector([body()])));
};

const tablesOf = (count: number, elements: number, importedElements = 0): Uint8Array =>
  module(
    section(2, [importedElements > 0 ? [1, name("a"), name("b"), 1, 0x70, 0, leb(importedElements)] : 0]),
    section(4, vector(Array.from({ length: count }, () => [0x70, 0, leb(elements)]))),
  );

const segmentsOf = (elements: number, data: number): Uint8Array =>
  module(
    section(4, [1, 0x70, 0, 0]),
    section(9, repeat(elements, [1, 0, 0])),
    section(11, repeat(data, [1, 0])),
  );

/** Two segments, of function indices and of expressions. */
const segmentsWith = (elements: number): Uint8Array =>
  module(
    emptyFunction,
    section(4, [1, 0x70, 0, leb(limits.wasmTableElementsMax)]),
    section(
      9,
      vector([
        [0, zero, leb(elements - 2), new Uint8Array(elements - 2)],
        [4, zero, 2, 0xd2, 0, end, 0xd2, 0, end],
      ]),
    ),
    section(10, vector([body()])),
  );

/** Sums as values of two globals; an expression has an even number of instructions. */
const constantsOf = (instructions: number): Uint8Array => {
  const sum = new Uint8Array(Math.ceil((instructions - 4) / 2) * 3);
  for (let at = 0; at < sum.length; at += 3) sum.set([0x41, 1, 0x6a], at);
  return module(
    section(
      6,
      vector([
        [i32, 1, zero],
        [i32, 1, 0x41, 0, sum, end],
      ]),
    ),
  );
};

type LimitCase = {
  readonly limitName: LimitName;
  readonly make: (size: number) => Uint8Array;
};

const cases: readonly LimitCase[] = [
  { limitName: "wasmFunctionBytesMax", make: bodyOf },
  {
    limitName: "wasmFunctionsMax",
    make: (count) =>
      module(types(functionType()), section(3, repeat(count, [0])), section(10, repeat(count, body()))),
  },
  {
    limitName: "wasmTypesMax",
    make: (count) => module(section(1, repeat(count, functionType([i32], [i32])))),
  },
  {
    limitName: "wasmImportsMax",
    make: (count) => module(types(functionType()), section(2, repeat(count, [name("a"), name("b"), 0, 0]))),
  },
  { limitName: "wasmExportsMax", make: exportsOf },
  {
    limitName: "wasmGlobalsMax",
    make: (count) => module(section(6, repeat(count, [i32, 1, zero]))),
  },
  {
    limitName: "wasmSegmentsMax",
    make: (count) => segmentsOf(10, count - 10),
  },
  { limitName: "wasmSegmentsMax", make: (count) => segmentsOf(count, 0) },
  { limitName: "wasmSegmentElementsMax", make: segmentsWith },
  { limitName: "wasmConstantInstructionsMax", make: constantsOf },
  { limitName: "wasmTablesMax", make: (count) => tablesOf(count, 1) },
  {
    limitName: "wasmTableElementsMax",
    make: (count) => tablesOf(1, count),
  },
  {
    limitName: "wasmTableElementsMax",
    make: (count) => tablesOf(3, 10, count - 30),
  },
  { limitName: "wasmLocalsMax", make: (count) => localsOf(0, count) },
  { limitName: "wasmLocalsMax", make: (count) => localsOf(7, count - 7) },
  {
    limitName: "wasmCustomBytesMax",
    make: (count) => {
      const rest = new Uint8Array(count - 6 - 7);
      return module(custom("a", [1, 2]), custom("b", [rest]));
    },
  },
  {
    limitName: "wasmCustomSectionsMax",
    make: (count) => module(Array.from({ length: count }, () => custom("x"))),
  },
  {
    limitName: "wasmSignatureTypesMax",
    make: (count) => module(types(functionType(Array.from({ length: count }, () => i32)))),
  },
  {
    limitName: "wasmSignatureTypesMax",
    make: (count) =>
      module(
        types(
          functionType(
            [],
            Array.from({ length: count }, () => i32),
          ),
        ),
      ),
  },
];

describe("inspectModule", () => {
  for (const { limitName, make } of cases) {
    const limit = limits[limitName];
    it(`accepts ${limitName} - 1 and ${limitName}, refuses one more`, () => {
      for (const size of [limit - 1, limit]) {
        const bytes = make(size);
        const prepared = prepareModule(bytes, inspectModule(bytes));
        assert(WebAssembly.validate(Uint8Array.from(bytes)), `V8 refuses ${size}`);
        assert(WebAssembly.validate(prepared), `V8 refuses ${size}, prepared`);
      }
      const { code, feature, message } = refusalOf(make(limit + 1));
      assert.deepEqual([code, feature], ["unsupported_feature", limitName]);
      assert.match(
        message,
        new RegExp(`^Cannot accept the module: .*\\b${limit + 1}\\b.*, limit is ${limit}$`),
      );
    });
  }

  it("refuses a million of anything by the count alone", () => {
    const million = 1_000_000;
    const filler = new Uint8Array(4 * million);
    for (const [id, limitName] of [
      [1, "wasmTypesMax"],
      [2, "wasmImportsMax"],
      [3, "wasmFunctionsMax"],
      [6, "wasmGlobalsMax"],
      [7, "wasmExportsMax"],
      [9, "wasmSegmentsMax"],
      [11, "wasmSegmentsMax"],
    ] as const) {
      assert.equal(refusalOf(module(section(id, [leb(million), filler]))).feature, limitName);
    }
  });

  it("refuses a table of ten million, forty tables, a body of 7.5 MB and a name section of 30 MB", () => {
    for (const [bytes, limitName] of [
      [tablesOf(1, 10_000_000), "wasmTableElementsMax"],
      [tablesOf(40, 1), "wasmTablesMax"],
      [tablesOf(1, 2 ** 32 - 1), "wasmTableElementsMax"],
      [bodyOf(7_500_000), "wasmFunctionBytesMax"],
      [module(custom("name", [new Uint8Array(30_000_000)])), "wasmCustomBytesMax"],
    ] as const) {
      assert.equal(refusalOf(bytes).feature, limitName);
    }
  });

  it("names the function whose body or locals are over the limit", () => {
    for (const bytes of [bodyOf(limits.wasmFunctionBytesMax + 1), localsOf(0, limits.wasmLocalsMax + 1)]) {
      assert.equal(refusalOf(bytes).functionIndex, 0);
    }
  });

  it("reads a body of nothing but nested blocks without recursion", () => {
    const depth = 80_000;
    const open = new Uint8Array(2 * depth).map((_, index) => (index % 2 === 0 ? 0x02 : 0x40));
    const close = new Uint8Array(depth).fill(end);
    inspectModule(module(emptyFunction, section(10, vector([body(open, close)]))));
  });

  it("reads 64 MiB in full", () => {
    const one = flatBody(limits.wasmFunctionBytesMax);
    const count = 250;
    const bytes = module(
      types(functionType()),
      section(3, repeat(count, [0])),
      section(10, [leb(count), ...Array(count).fill(one)]),
    );
    assert(bytes.length > 62 * 1024 * 1024);
    assert.equal(inspectModule(bytes).counts.functions, count);
  });
});

/** A body of `size` bytes of short instructions, its size in front. */
function flatBody(size: number): Uint8Array {
  const pattern = [0x20, 0x00, 0x41, 0x05, 0x6a, 0x21, 0x00, 0x01];
  const content = new Uint8Array(size).fill(0x01);
  content.set([1, 1, i32]);
  for (let at = 3; at + pattern.length < size; at += pattern.length) content.set(pattern, at);
  content[size - 1] = end;
  return flatten([leb(size), content]);
}

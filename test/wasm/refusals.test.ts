import assert from "node:assert/strict";
import { describe, it } from "node:test";
import binaryen from "binaryen";
import { inspectModule } from "../../host/wasm/inspect.ts";
import { assemble } from "./corpus.ts";
import {
  type Bytes,
  body,
  codeModule,
  custom,
  end,
  functionType,
  i32,
  leb,
  module,
  name,
  section,
  sized,
  types,
  vector,
} from "./module-bytes.ts";
import { refusalOf } from "./refusal-of.ts";

const refusedCode: readonly (readonly [feature: string, label: string, instructions: Bytes])[] = [
  ["tail-calls", "return_call", [0x12, 0]],
  ["tail-calls", "return_call_indirect", [0x13, 0, 0]],
  ["tail-calls", "return_call_ref", [0x15, 0]],
  ["gc", "ref.i31", [0x41, 0, 0xfb, 0x1c, 0x1a]],
  ["gc", "array.new", [0xfb, 0x06, 0]],
  ["gc", "ref.eq", [0xd3]],
  ["gc", "ref.null any", [0xd0, 0x6e, 0x1a]],
  ["gc", "a block of eqref", [0x02, 0x6d, 0x00, end]],
  ["gc", "select of structref", [0x1c, 1, 0x6b]],
  ["multi-memory", "memory.grow of memory 1", [0x41, 0, 0x40, 1, 0x1a]],
  ["multi-memory", "memory.size of memory 1", [0x3f, 1, 0x1a]],
  ["multi-memory", "i32.load of memory 1", [0x41, 0, 0x28, 0x42, 1, 0, 0x1a]],
  ["multi-memory", "memory.copy from memory 1", [0xfc, 0x0a, 0, 1]],
  ["multi-memory", "memory.init of memory 1", [0xfc, 0x08, 0, 1]],
  ["multi-memory", "memory.fill of memory 1", [0xfc, 0x0b, 1]],
  ["stack-switching", "cont.new", [0xe0, 0]],
  ["stack-switching", "switch", [0xe6, 0, 0]],
  ["wide-arithmetic", "i64.add128", [0xfc, 0x13]],
  ["wide-arithmetic", "i64.mul_wide_u", [0xfc, 0x16]],
  ["memory-control", "memory.discard", [0xfc, 0x12, 0]],
  ["half-precision", "f16x8.splat", [0xfd, 0xa0, 0x02]],
  ["stringref", "string.new_utf8", [0xfb, 0x80, 0x01, 0]],
  ["custom-descriptors", "ref.get_desc", [0xfb, 0x22, 0]],
  ["shared-everything-threads", "struct.atomic.get", [0xfe, 0x5c, 0, 0, 0]],
  ["acquire-release", "i32.atomic.load acqrel", [0x41, 0, 0xfe, 0x10, 0x22, 0, 0, 0x1a]],
  ["unknown-opcode", "0x27", [0x27]],
  ["unknown-opcode", "0xff", [0xff]],
  ["unknown-opcode", "0xfd 0x9a", [0xfd, 0x9a, 0x01]],
  ["unknown-opcode", "0xfc and 2^32 - 1", [0xfc, 0xff, 0xff, 0xff, 0xff, 0x0f]],
];

const refusedDeclarations: readonly (readonly [feature: string, label: string, bytes: Uint8Array])[] = [
  ["gc", "an array type", module(types([0x5e, i32, 1]))],
  ["gc", "a struct type", module(types([0x5f, 0]))],
  ["gc", "a recursion group", module(types([0x4e, 1, functionType()]))],
  ["gc", "an open subtype", module(types([0x50, 0, functionType()]))],
  ["gc", "a final subtype", module(types([0x4f, 0, functionType()]))],
  ["gc", "an anyref parameter", module(types(functionType([0x6e])))],
  ["gc", "a result of (ref null i31)", module(types([0x60, 0, 1, 0x63, 0x6c]))],
  ["gc", "a table of eqref", module(section(4, [1, 0x6d, 0, 1]))],
  ["gc", "a global of structref", module(section(6, [1, 0x6b, 0, 0xd0, 0x6b, end]))],
  ["gc", "ref.i31 in a constant", module(section(6, [1, 0x63, 0x6f, 0, 0x41, 0, 0xfb, 0x1c, end]))],
  ["gc", "a local of i31ref", localOf(0x6c)],
  ["gc", "elements of anyref", module(section(9, [1, 5, 0x6e, 0]))],
  ["stack-switching", "a continuation type", module(types([0x5d, 0]))],
  ["stack-switching", "a contref parameter", module(types(functionType([0x68])))],
  ["stringref", "a stringref parameter", module(types(functionType([0x67])))],
  ["stringref", "a string section", module(section(14, [0, 0]))],
  ["custom-descriptors", "a describing type", module(types([0x4c, 0, 0x5f, 0]))],
  ["shared-everything-threads", "a shared type", module(types([0x65, 0x60, 0, 0]))],
  ["shared-everything-threads", "a shared heap type", module(types([0x60, 1, 0x63, 0x65, 0x6e, 0]))],
  ["shared-everything-threads", "a shared global", module(section(6, [1, i32, 2, 0x41, 0, end]))],
  ["shared-everything-threads", "an imported shared global", imported([3, i32, 3])],
  ["shared-everything-threads", "a shared table", module(section(4, [1, 0x70, 3, 1, 1]))],
  ["shared-memory", "a shared memory", module(section(5, [1, 3, 1, 2]))],
  ["shared-memory", "an imported shared memory", imported([2, 3, 1, 2])],
  ["memory64", "a 64-bit memory", module(section(5, [1, 4, 1]))],
  ["memory64", "an imported 64-bit memory", imported([2, 5, 1, 2])],
  ["table64", "a 64-bit table", module(section(4, [1, 0x70, 4, 1]))],
  ["custom-page-sizes", "a memory of one-byte pages", module(section(5, [1, 8, 1, 0]))],
  ["multi-memory", "two memories", module(section(5, [2, 0, 1, 0, 1]))],
  ["multi-memory", "fifty memories of 4 GiB", assemble(`(module ${"(memory 65536)".repeat(50)})`)],
  [
    "multi-memory",
    "an imported and an own memory",
    module(section(2, [1, name("a"), name("b"), 2, 0, 1]), section(5, [1, 0, 1])),
  ],
  [
    "multi-memory",
    "data for memory 1",
    module(section(5, [1, 0, 1]), section(11, [1, 2, 1, 0x41, 0, end, 0])),
  ],
];

function imported(type: Bytes): Uint8Array {
  return module(section(2, [1, name("a"), name("b"), type]));
}

function localOf(type: number): Uint8Array {
  return module(types(functionType()), section(3, [1, 0]), section(10, vector([sized([1, 1, type, end])])));
}

describe("inspectModule refuses as unsupported_feature", () => {
  for (const [feature, label, instructions] of refusedCode) {
    it(`${label}, with function and offset`, () => {
      const bytes = codeModule(0x01, ...instructions);
      const refusal = refusalOf(bytes);
      assert.equal(refusal.code, "unsupported_feature");
      assert.equal(refusal.feature, feature);
      assert.equal(refusal.functionIndex, 0);
      assert(refusal.offset !== null && refusal.offset > 28 && refusal.offset < bytes.length);
      const opcode = bytes[refusal.offset]?.toString(16).padStart(2, "0");
      assert(refusal.message.includes(`(opcode 0x${opcode}`), refusal.message);
      assert(refusal.message.includes(`${feature} `), refusal.message);
      assert(refusal.message.includes(` in function 0 at byte ${refusal.offset}, `), refusal.message);
    });
  }
  for (const [feature, label, bytes] of refusedDeclarations) {
    it(label, () => {
      const refusal = refusalOf(bytes);
      assert.deepEqual([refusal.code, refusal.feature], ["unsupported_feature", feature]);
      assert.match(refusal.message, new RegExp(`uses ${feature} .* at byte \\d+, wanted a module without$`));
    });
  }
  it("garbage collection as Binaryen writes it", () => {
    const parsed = binaryen.parseText(`(module (type $list (array (mut i64)))
      (func (export "bomb") (drop (array.new $list (i64.const 0) (i32.const 134217728)))))`);
    parsed.setFeatures(binaryen.Features.All);
    assert.equal(refusalOf(parsed.emitBinary()).feature, "gc");
    parsed.dispose();
  });
  it("self, mutual and indirect tail-call loops", () => {
    for (const text of [
      `(module (func $r (export "run") (return_call $r)))`,
      `(module (func $a (export "run") (return_call $b)) (func $b (return_call $a)))`,
      `(module (table 1 funcref) (elem (i32.const 0) $a)
         (func $a (export "run") (return_call_indirect (i32.const 0))))`,
    ]) {
      assert.equal(refusalOf(assemble(text)).feature, "tail-calls");
    }
  });
  it("an export whose name begins as the host's own", () => {
    for (const text of ["mayfly:", "mayfly:grow_refused", "mayfly:\\0a\\1b[0m"]) {
      const refusal = refusalOf(assemble(`(module (global (export "${text}") i32 (i32.const 0)))`));
      assert.deepEqual([refusal.code, refusal.feature], ["unsupported_feature", "reserved export name"]);
    }
    inspectModule(assemble(`(module (global (export "mayfly_handle") i32 (i32.const 0)))`));
  });
});

describe("inspectModule refuses as invalid_module", () => {
  it("legacy exception instructions beside the newer ones, in whatever functions", () => {
    const mixed = module(
      types(functionType()),
      section(3, [2, 0, 0]),
      section(13, [1, 0, 0]),
      section(
        10,
        vector([body(0x06, 0x40, 0x07, 0, end), body(0x02, 0x40, 0x1f, 0x40, 1, 0, 0, 0, end, end)]),
      ),
    );
    assert.throws(() => inspectModule(mixed), { code: "invalid_module", message: /legacy exception/ });
  });
});

describe("inspectModule accepts", () => {
  it("exceptions of both forms, references, vectors and atomics on a memory that is not shared", () => {
    const tagged = (...instructions: Bytes) =>
      module(
        types(functionType()),
        section(3, [1, 0]),
        section(13, [1, 0, 0]),
        section(10, vector([body(...instructions)])),
      );
    for (const bytes of [
      tagged(0x06, 0x40, 0x08, 0, 0x07, 0, end),
      tagged(0x02, 0x40, 0x1f, 0x40, 1, 0, 0, 0, end, end),
      codeModule(0xd2, 0, 0x14, 0),
      codeModule(0x41, 0, 0xfe, 0x10, 2, 0, 0x1a),
      codeModule(0xfe, 0x03, 0),
      module(types(functionType([0x69, 0x74, 0x70, 0x6f]))),
    ]) {
      inspectModule(bytes);
    }
  });
});

describe("A refusal", () => {
  const named = (functionName: string): Uint8Array =>
    module(
      types(functionType()),
      section(3, [1, 0]),
      section(10, vector([body(0x12, 0)])),
      custom("name", [1, sized([1, 0, name(functionName)])]),
    );
  it("names the function, imports counted first", () => {
    const text = `(module (import "a" "b" (func)) (func $fine) (func $spin (return_call $spin)))`;
    const refusal = refusalOf(assemble(text));
    assert.equal(refusal.functionIndex, 2);
    assert.match(refusal.message, /tail-calls \(opcode 0x12\) in function 2 "spin" at byte \d+/);
  });
  it("shows a function's name in printable ASCII and at most 100 characters of it", () => {
    const hostile = `\n{"level":"info"}\u001b[31m\u202e${"x".repeat(5_000)}`;
    const { message } = refusalOf(named(hostile));
    assert(message.includes(`"?{"level":"info"}?[31m?xxx`), message);
    assert.match(message, /^[ -~]+$/);
    assert(message.length < 250);
  });
  it("does without a name when the name section is broken", () => {
    for (const content of [
      [1],
      [1, 2, 5],
      [1, ...leb(2 ** 32 - 1)],
      [1, sized([leb(2 ** 32 - 1), 0])],
      [0xff],
    ]) {
      const bytes = module(
        types(functionType()),
        section(3, [1, 0]),
        section(10, vector([body(0x12, 0)])),
        custom("name", content),
      );
      assert.match(refusalOf(bytes).message, /in function 0 at byte/);
    }
  });
});

describe("inspectModule refuses as invalid_module", () => {
  const four = leb(2 ** 32 - 1);
  const cases: readonly (readonly [label: string, bytes: Uint8Array, message: RegExp])[] = [
    [
      "a section longer than the bytes",
      module([1, four, 0]),
      /type section is 4294967295 bytes long with 1 left/,
    ],
    ["a custom section longer than the bytes", module([0, four, 0]), /custom section is 4294967295/],
    ["a custom section without room for its name", module([0, 2, 5, 0x61]), /5 more bytes are announced/],
    ["a custom section whose name is not UTF-8", module([0, 2, 1, 0xff]), /not UTF-8/],
    ["sections out of order", module(section(3, [0]), section(1, [0])), /type section is out of order/],
    ["a section twice", module(section(1, [0]), section(1, [0])), /type section is repeated/],
    [
      "a tag section after the globals",
      module(section(6, [0]), section(13, [0])),
      /tag section is out of order/,
    ],
    ["an unknown section", module(section(15, [])), /section 0x0f/],
    ["bytes left over in a section", module(section(1, [0, 0])), /1 bytes are left over in the type section/],
    ["a function without a body", module(types(functionType()), section(3, [1, 0])), /0 bodies of 1/],
    ["a body without a function", module(section(10, vector([body()]))), /1 bodies of 0/],
    ["a function of no type", module(section(3, [1, 0])), /type index 0 of 0 types/],
    ["an import of no type", module(section(2, [1, name("a"), name("b"), 0, 0])), /type index 0 of 0/],
    ["an import of unknown kind", module(section(2, [1, name("a"), name("b"), 5, 0])), /kind 0x05/],
    ["an export of no function", module(section(7, [1, name("a"), 0, 0])), /function index 0 of 0/],
    ["a start of no function", module(section(8, [9])), /function index 9 of 0/],
    ["memory flags 0x10", module(section(5, [1, 0x10, 1])), /flags 0x10/],
    ["table flags 0x08", module(section(4, [1, 0x70, 8, 1])), /flags 0x08/],
    ["a table of i32", module(section(4, [1, i32, 0, 1])), /element type i32/],
    ["global flags 0x04", module(section(6, [1, i32, 4, 0x41, 0, end])), /flags 0x04/],
    ["a type of unknown form", module(types([0x40])), /form 0x40/],
    ["element flags 8", module(section(9, [1, 8, 0])), /flags 0x08/],
    ["data flags 3", module(section(11, [1, 3, 0])), /flags 0x03/],
    ["an unterminated constant", module(section(6, [1, i32, 0, 0x41, 0])), /end too early/],
    ["bytes after the end of a body", codeModule(end, 0x01), /bytes follow the end of the body/],
  ];
  for (const [label, bytes, message] of cases) {
    it(label, () => {
      const refusal = refusalOf(bytes);
      assert.deepEqual([refusal.code, refusal.feature], ["invalid_module", null]);
      assert.match(refusal.message, message);
      assert(!WebAssembly.validate(Uint8Array.from(bytes)));
    });
  }
  it("counts of 2^32 - 1, wherever there is a count", () => {
    const functions: Bytes = [types(functionType()), section(3, [1, 0])];
    const counts: readonly Uint8Array[] = [
      ...[1, 2, 3, 4, 5, 13, 6, 7, 9, 10, 11].map((id) => module(section(id, [four, 0, 0, 0, 0]))),
      module(types([0x60, four, i32])),
      module(types([0x60, 0, four, i32])),
      module(section(2, [1, four, 0x61, 0])),
      module(section(7, [1, four, 0x61, 0])),
      module(section(9, [1, 0, 0x41, 0, end, four, 0])),
      module(section(11, [1, 1, four, 0])),
      module(functions, section(10, [1, 4, four, i32, end])),
      module(functions, section(10, vector([sized([four, i32, end])]))),
      codeModule(0x0e, four, 0),
      codeModule(0x1c, four, i32),
      codeModule(0x1f, 0x40, four, 0, 0, 0),
    ];
    for (const bytes of counts) assert.equal(refusalOf(bytes).code, "invalid_module");
  });
});

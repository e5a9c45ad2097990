import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inspectModule } from "../../host/wasm/inspect.ts";
import { prepareModule } from "../../host/wasm/prepare.ts";
import {
  type Bytes,
  body,
  end,
  functionType,
  i32,
  module,
  section,
  sized,
  types,
  vector,
} from "./module-bytes.ts";
import { refusalOf } from "./refusal-of.ts";

// `prepareModule` appends types, functions and globals; a module that names the index just past its own
// would become valid by that and could write the host's flag, or the countdown of metering.

/** Two types, one imported function, one own that grows memory, one imported global and one own. */
function growing(parts: {
  code?: Bytes;
  locals?: Bytes;
  exports?: Bytes;
  elements?: Bytes;
  global?: Bytes;
}): Uint8Array {
  const imports: Bytes = [2, 1, 0x61, 1, 0x66, 0, 0, 1, 0x61, 1, 0x67, 3, i32, 0];
  const instructions: Bytes = [parts.code ?? [], 0x41, 0, 0x40, 0, 0x1a, end];
  return module(
    types(functionType(), functionType([i32])),
    section(2, imports),
    section(3, [1, 0]),
    section(4, [1, 0x70, 0, 4]),
    section(5, [1, 0, 1]),
    section(6, [1, parts.global ?? [i32, 1, 0x41, 0, end]]),
    section(7, parts.exports ?? [0]),
    section(9, parts.elements ?? [1, 1, 0, 1, 1]),
    section(
      10,
      vector([parts.locals ? sized([parts.locals, instructions]) : body(...instructions.slice(0, -1))]),
    ),
  );
}

/** Each takes an index; the number is the size of its index space. */
const places: readonly (readonly [label: string, size: number, make: (index: number) => Uint8Array])[] = [
  ["call", 2, (index) => growing({ code: [0x10, index] })],
  ["ref.func", 2, (index) => growing({ code: [0xd2, index, 0x1a] })],
  ["global.get", 2, (index) => growing({ code: [0x23, index, 0x1a] })],
  ["call_indirect", 2, (index) => growing({ code: [0x00, 0x11, index, 0] })],
  ["call_ref", 2, (index) => growing({ code: [0x00, 0x14, index] })],
  ["a block type", 2, (index) => growing({ code: [0x00, 0x02, index, 0x00, end] })],
  ["ref.null", 2, (index) => growing({ code: [0xd0, index, 0x1a] })],
  ["a block's reference type", 2, (index) => growing({ code: [0x02, 0x63, index, 0x00, end, 0x1a] })],
  ["a local's type", 2, (index) => growing({ locals: [1, 1, 0x63, index] })],
  ["an element segment", 2, (index) => growing({ elements: [1, 1, 0, 1, index] })],
  ["an element expression", 2, (index) => growing({ elements: [1, 5, 0x70, 1, 0xd2, index, end] })],
  ["an exported function", 2, (index) => growing({ exports: [1, 1, 0x66, 0, index] })],
  ["an exported global", 2, (index) => growing({ exports: [1, 1, 0x66, 3, index] })],
  ["a global's type", 2, (index) => growing({ global: [0x63, index, 1, 0xd0, index, end] })],
];

describe("inspectModule", () => {
  for (const [label, size, make] of places) {
    it(`lets ${label} reach the last index and not the host's after it`, () => {
      const last = make(size - 1);
      assert(WebAssembly.validate(Uint8Array.from(last)));
      assert(WebAssembly.validate(prepareModule(last, inspectModule(last))));
      assert(WebAssembly.validate(prepareModule(last, inspectModule(last), { meter: true })));
      assert(!WebAssembly.validate(Uint8Array.from(make(size))));
      assert.match(refusalOf(make(size)).message, /index 2 of 2/);
      assert.throws(() => inspectModule(make(size), { metered: true }), /index 2 of 2/);
    });
  }
  it("keeps locals and labels from what metering adds around a body", () => {
    // One local of its own; metering adds two, and a block around the body.
    const bodyOf = (...code: Bytes): Uint8Array =>
      growing({ locals: [1, 1, i32], code: [...code, 0x03, 0x40, 0x41, 0, 0x0d, 0, end] });
    for (const [own, beyond, message] of [
      [bodyOf(0x41, 0, 0x21, 0), bodyOf(0x41, 0, 0x21, 1), /local index 1 of 1/],
      [bodyOf(0x20, 0, 0x1a), bodyOf(0x20, 1, 0x1a), /local index 1 of 1/],
      [bodyOf(0x41, 0, 0x0d, 0), bodyOf(0x41, 0, 0x0d, 1), /label index 1 of 1/],
      [bodyOf(0x41, 0, 0x0e, 1, 0, 0), bodyOf(0x41, 0, 0x0e, 1, 1, 0), /label index 1 of 1/],
      [bodyOf(0x41, 0, 0x0e, 1, 0, 0), bodyOf(0x41, 0, 0x0e, 1, 0, 1), /label index 1 of 1/],
    ] as const) {
      const options = { meter: true };
      assert(WebAssembly.validate(prepareModule(own, inspectModule(own), options)));
      assert(!WebAssembly.validate(Uint8Array.from(beyond)));
      assert.throws(() => inspectModule(beyond), message);
    }
    assert.throws(() => inspectModule(bodyOf(0x1f, 0x40, 1, 2, 1, end)), /label index 1 of 1/);
    assert.throws(() => inspectModule(bodyOf(0x06, 0x40, 0x18, 1)), /label index 1 of 1/);
  });
  it("keeps global.set from the host's flag", () => {
    assert.match(refusalOf(growing({ code: [0x41, 0, 0x24, 2] })).message, /global index 2 of 2 globals/);
  });
  it("refuses memories whose bounds are no bounds, as V8 does", () => {
    for (const limits of [
      [1, 2, 1],
      [0, 0x81, 0x80, 0x04],
      [1, 0, 0x81, 0x80, 0x04],
    ]) {
      const bytes = module(section(5, [1, ...limits]));
      assert(!WebAssembly.validate(Uint8Array.from(bytes)));
      assert.equal(refusalOf(bytes).code, "invalid_module");
    }
  });
});

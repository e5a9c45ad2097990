import assert from "node:assert/strict";
import { describe, it } from "node:test";
import binaryen from "binaryen";
import { BinaryReader } from "../../host/wasm/binary-reader.ts";
import { skipLocals } from "../../host/wasm/code-section.ts";
import { feature } from "../../host/wasm/features.ts";
import { InstructionDecoder } from "../../host/wasm/instructions.ts";
import { immediate, opcodeSlot, shapes } from "../../host/wasm/opcodes.ts";
import { ReadFault } from "../../host/wasm/read-fault.ts";
import { readSections, sectionId } from "../../host/wasm/sections.ts";
import { corpus } from "./corpus.ts";
import {
  type Bytes,
  body,
  end,
  flatten,
  functionType,
  i32,
  leb,
  module,
  section,
  types,
  vector,
} from "./module-bytes.ts";

const everyOpcode: readonly number[] = [
  ...Array.from({ length: 0x100 }, (_, byte) => byte).filter((byte) => byte < 0xfa || byte === 0xff),
  ...[0xfb, 0xfc, 0xfd, 0xfe].flatMap((prefix) =>
    Array.from({ length: 0x220 }, (_, n) => prefix * 0x1000 + n),
  ),
];

const opcodeBytes = (opcode: number): Bytes =>
  opcode < 0x100 ? [opcode] : [Math.floor(opcode / 0x1000), leb(opcode % 0x1000)];

/** Types 0 to 5: (), (i32) -> (i32), struct of an i32, of an i8, array of i32, of i8, of funcref. */
const gcTypes: Bytes = types(
  functionType(),
  functionType([i32], [i32]),
  [0x5f, 1, i32, 1],
  [0x5f, 1, 0x78, 1],
  [0x5e, i32, 1],
  [0x5e, 0x78, 1],
  [0x5e, 0x70, 1],
);

const struct = 2;
const packedStruct = 3;
const array = 4;
const packedArray = 5;
const funcrefArray = 6;

/** A module that has one of everything, whose function 0 is unreachable, then `instructions`. */
const everything = (...instructions: Bytes): Uint8Array =>
  module(
    gcTypes,
    section(3, [1, 0]),
    section(4, [1, 0x70, 0, 5]),
    section(5, [1, 0, 1]),
    section(13, [1, 0, 0]),
    section(6, [1, i32, 1, 0x41, 0, end]),
    section(9, [1, 1, 0, 1, 0]),
    section(12, [1]),
    section(
      10,
      vector([body(0x02, 0x40, 0x00, ...instructions, 0x00, end)].map((entry) => [withLocal(entry)])),
    ),
    section(11, [1, 1, 1, 0]),
  );

/** The same body with one i32 local. */
function withLocal(entry: Bytes): Bytes {
  const reader = new BinaryReader(flatten(entry));
  reader.u32();
  reader.u8();
  const rest = reader.bytes.subarray(reader.position);
  const content = flatten([1, 1, i32, rest]);
  return [leb(content.length), content];
}

/** Immediates that are valid in `everything`, one for each shape. */
const immediatesOfShape: Readonly<Record<number, Bytes>> = {
  [immediate.none]: [],
  [immediate.functionIndex]: [0],
  [immediate.globalIndex]: [0],
  [immediate.typeIndex]: [0],
  [immediate.typeIndexPair]: [0, 0],
  [immediate.blockType]: [0x40, 0x00, end],
  [immediate.index]: [0],
  [immediate.label]: [0],
  [immediate.local]: [0],
  [immediate.indexPair]: [0, 0],
  [immediate.labels]: [2, 0, 1, 0],
  [immediate.memoryArgument]: [0, 0x80, 1],
  [immediate.memoryArgumentLane]: [0, 0x80, 1, 1],
  [immediate.memoryIndex]: [0],
  [immediate.memoryIndexPair]: [0, 0],
  [immediate.dataMemory]: [0, 0],
  [immediate.s32]: [0x80, 0x7f],
  [immediate.s64]: [0x80, 0x80, 0x80, 0x80, 0x80, 0x7f],
  [immediate.bytes1]: [0],
  [immediate.bytes4]: [0xff, 0xff, 0xff, 0xff],
  [immediate.bytes8]: [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  [immediate.bytes16]: Array.from({ length: 16 }, (_, n) => n),
  [immediate.valueTypes]: [1, 0x63, 0x70],
  [immediate.heapType]: [0x70],
  [immediate.tryTable]: [0x40, 1, 2, 1, end],
};

/** Where index 0, natural alignment or plain nesting do not do. */
const immediatesOfOpcode: Readonly<Record<number, Bytes>> = {
  5: [],
  6: [0x40, 0x19, end],
  213: [0],
  1028096: [struct],
  1028097: [struct],
  1028098: [struct, 0],
  1028099: [packedStruct, 0],
  1028100: [packedStruct, 0],
  1028101: [struct, 0],
  1028102: [array],
  1028103: [array],
  1028104: [array, 3],
  1028105: [array, 0],
  1028106: [funcrefArray, 0],
  1028107: [array],
  1028108: [packedArray],
  1028109: [packedArray],
  1028110: [array],
  1028112: [array],
  1028113: [array, array],
  1028114: [array, 0],
  1028115: [funcrefArray, 0],
};

/** Whole instructions, where one needs others around it. */
const inContext: Readonly<Record<number, Bytes>> = {
  5: [0x04, 0x40, 0x05, end],
  7: [0x06, 0x40, 0x07, 0, end],
  9: [0x06, 0x40, 0x19, 0x09, 0, end],
  11: [0x02, 0x40, end],
  24: [0x06, 0x40, 0x18, 0],
  25: [0x06, 0x40, 0x19, end],
  214: [0x02, 0x70, 0x00, 0xd6, 0, 0x00, end],
  1028120: [0x02, 0x63, 0x6d, 0x00, 0xfb, 0x18, 1, 0, 0x6d, 0x6d, 0x00, end],
  1028121: [0x02, 0x63, 0x6d, 0x00, 0xfb, 0x19, 3, 0, 0x6d, 0x6d, 0x00, end],
  1028117: [0xfb, 0x15, 0x80 - 0x10],
};

function naturalAlignment(opcode: number, bytes: Bytes): Bytes | null {
  for (const alignment of [0, 1, 2, 3, 4]) {
    const aligned = [alignment, ...bytes.slice(1)];
    if (WebAssembly.validate(Uint8Array.from(everything(...opcodeBytes(opcode), ...aligned)))) return aligned;
  }
  return null;
}

/** The error V8 gives for `bytes`, or "". */
function complaint(bytes: Uint8Array): string {
  try {
    new WebAssembly.Module(Uint8Array.from(bytes));
    return "";
  } catch (error) {
    return String(error);
  }
}

/** Reads function 0 of `bytes` and returns the opcodes. */
function opcodesOf(bytes: Uint8Array): number[] {
  const code = readSections(bytes).find(({ id }) => id === sectionId.code);
  assert(code);
  const reader = new BinaryReader(bytes, code.contentStart, code.end);
  const decoder = new InstructionDecoder(bytes);
  const opcodes: number[] = [];
  for (let count = reader.count(); count > 0; count -= 1) {
    const size = reader.u32();
    const start = reader.position;
    reader.skip(size);
    decoder.start(start, reader.position);
    skipLocals(decoder);
    while (decoder.next()) opcodes.push(decoder.opcode);
    assert.equal(decoder.position, reader.position, "a body ends where its last instruction does");
  }
  return opcodes;
}

describe("The opcode table", () => {
  it("has a shape for exactly the opcodes V8 decodes without a flag", () => {
    const differences: string[] = [];
    for (const opcode of everyOpcode) {
      const said = complaint(everything(...opcodeBytes(opcode), ...Array.from({ length: 24 }, () => 0)));
      const unknownToV8 = /invalid (numeric |simd |atomic |gc )?opcode|enable with|unknown/i.test(said);
      const known = shapes[opcodeSlot(opcode)] !== immediate.unknown;
      // V8 has descriptors' 0xfb 0x20 and 0x21 in its table and refuses them for another reason.
      if (opcode >= 0xfb020 && opcode <= 0xfb027) continue;
      if (known === unknownToV8) differences.push(`0x${opcode.toString(16)}: ${known} ${said}`);
    }
    assert.deepEqual(differences, []);
  });

  it("has for each opcode the shape with which V8 validates it", () => {
    let tried = 0;
    for (const opcode of everyOpcode) {
      const shape = shapes[opcodeSlot(opcode)] as number;
      if (shape === immediate.unknown) continue;
      let instruction = inContext[opcode];
      if (instruction === undefined) {
        let bytes: Bytes | null = immediatesOfOpcode[opcode] ?? immediatesOfShape[shape] ?? null;
        assert(bytes, `no immediates for 0x${opcode.toString(16)}`);
        if (shape === immediate.memoryArgument) bytes = naturalAlignment(opcode, bytes);
        assert(bytes, `no alignment does for 0x${opcode.toString(16)}`);
        instruction = [...opcodeBytes(opcode), ...bytes];
      }
      // Had V8 longer immediates than we, it would take 0x41 into them and stumble over 0x05, an else.
      const bytes = everything(...instruction, 0x41, 0x05);
      assert.equal(complaint(bytes), "", `V8 on 0x${opcode.toString(16)}`);
      const opcodes = opcodesOf(bytes);
      assert(opcodes.includes(opcode), `0x${opcode.toString(16)} was not read`);
      // block unreachable INSTRUCTION i32.const 5 unreachable end end
      const alone =
        inContext[opcode] === undefined && immediate.blockType !== shape && immediate.tryTable !== shape;
      if (alone) assert.deepEqual(opcodes, [0x02, 0x00, opcode, 0x41, 0x00, end, end]);
      else assert.deepEqual(opcodes.slice(-4), [0x41, 0x00, end, end]);
      // Had V8 shorter immediates than we, it would take our last byte for an opcode.
      const last = flatten(instruction);
      if (alone && last.length > flatten(opcodeBytes(opcode)).length) {
        last[last.length - 1] = 0x27;
        assert.doesNotMatch(
          complaint(everything(last, 0x41, 0x05)),
          /Invalid opcode 0x27/,
          `0x${opcode.toString(16)}`,
        );
      }
      tried += 1;
    }
    assert(tried > 560, `only ${tried} opcodes`);
  });

  it("marks each prefix's numbers beyond its range as unknown", () => {
    for (const opcode of [0xfb200, 0xfcfff, 0xfd200, 0xfefff]) {
      assert.equal(shapes[opcodeSlot(opcode)], immediate.unknown);
    }
  });
});

describe("InstructionDecoder", () => {
  it("reads every body of real modules to its end", () => {
    for (const { bytes, label } of corpus) {
      if (label !== "wabt empty") assert(opcodesOf(bytes).length > 5, label);
    }
  });

  it("reads garbage collection and try_table as Binaryen writes them", () => {
    const parsed = binaryen.parseText(`(module
      (type $node (sub (struct (field (mut i32)) (field (mut (ref null $node))))))
      (type $leaf (sub $node (struct (field (mut i32)) (field (mut (ref null $node))) (field i64))))
      (type $list (array (mut i8)))
      (tag $oops (param i32))
      (func $make (export "make") (param i32) (result (ref null $node)) (local $l (ref null $list))
        (local.set $l (array.new_fixed $list 3 (i32.const 1) (i32.const 2) (i32.const 3)))
        (array.copy $list $list (local.get $l) (i32.const 0) (local.get $l) (i32.const 1) (i32.const 1))
        (block $cast (result (ref $leaf))
          (drop (br_on_cast $cast (ref null $node) (ref $leaf)
            (struct.new $node (array.get_u $list (local.get $l) (local.get 0)) (ref.null none))))
          (return (ref.null none))))
      (func $i31 (export "i31") (param i32) (result i32)
        (if (result i32) (ref.test (ref null i31) (ref.i31 (local.get 0)))
          (then (i31.get_s (ref.cast (ref i31) (ref.i31 (local.get 0))))) (else (i32.const 0))))
      (func $tried (export "tried") (result i32)
        (block $caught (result i32)
          (try_table (catch $oops $caught) (throw $oops (i32.const 5))) (unreachable))))`);
    parsed.setFeatures(binaryen.Features.All);
    const bytes = parsed.emitBinary();
    parsed.dispose();
    const opcodes = opcodesOf(bytes);
    for (const opcode of [0x1f, 0x08, 0xfb000, 0xfb008, 0xfb00d, 0xfb011, 0xfb018, 0xfb01c, 0xfb01d]) {
      assert(opcodes.includes(opcode), `0x${opcode.toString(16)}`);
    }
  });

  it("gives opcode, offset, first index, depth and features of each instruction", () => {
    const bytes = flatten([0x02, 0x40, 0x10, 0x85, 0x01, 0xfc, 0x0b, 0x00, end, 0x40, 0x01, end, 0xff]);
    const decoder = new InstructionDecoder(bytes);
    decoder.start(0, bytes.length);
    const seen: number[][] = [];
    while (decoder.next()) seen.push([decoder.opcode, decoder.offset, decoder.depth]);
    assert.deepEqual(seen, [
      [0x02, 0, 2],
      [0x10, 2, 2],
      [0xfc00b, 5, 2],
      [0x0b, 8, 1],
      [0x40, 9, 1],
      [0x0b, 11, 0],
    ]);
    assert.equal(decoder.position, 12);
    decoder.start(2, 5);
    decoder.next();
    assert.equal(decoder.index, 133);
    decoder.start(9, 11);
    decoder.next();
    assert.equal(decoder.features, feature.multiMemory);
  });

  it("reads the handlers of try_table: a tag and a label, or a label alone", () => {
    const handlers = [4, 0, 5, 0, 1, 6, 0, 2, 0, 3, 0];
    const bytes = Uint8Array.from([0x1f, 0x40, ...handlers, 0x01, end, end]);
    const decoder = new InstructionDecoder(bytes);
    decoder.start(0, bytes.length);
    const opcodes: number[] = [];
    while (decoder.next()) opcodes.push(decoder.opcode);
    assert.deepEqual(opcodes, [0x1f, 0x01, end, end]);
    decoder.start(0, bytes.length);
    bytes[3] = 4;
    assert.throws(() => decoder.next(), /catch kind 0x04/);
  });

  it("refuses delegate outside of a try block and bodies without end", () => {
    for (const [bytes, message] of [
      [[0x18, 0x00, 0x0b], /delegate is outside/],
      [[0x02, 0x40, 0x0b], /end too early/],
      [[0x28, 0x80, 0x01, 0x00], /alignment is 2\^128/],
      [[0x02, 0x80, 0x7f], /negative block type/],
      [[0x1c, 0x01, 0x55], /value type 0x55/],
      [[0x0e, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x00], /count of 4294967295/],
    ] as const) {
      const decoder = new InstructionDecoder(Uint8Array.from(bytes));
      decoder.start(0, bytes.length);
      const run = () => {
        while (decoder.next());
      };
      assert.throws(run, (error) => error instanceof ReadFault && message.test(error.message));
    }
  });
});

// callExport: text in, text out, by the declared types or without any.

import { strict as assert } from "node:assert";
import { before, describe, test } from "node:test";
import wabt from "wabt";
import { callExport } from "../../host/build/call-export.ts";
import { type CompiledModule, compileModule } from "../../host/build/compile.ts";
import { UserError, WrongArguments } from "../../host/build/user-error.ts";
import { workspace } from "./workspace.ts";

const source = `
export function add(a: i32, b: i32): i32 { return a + b; }
export function shout(text: string): string { return text.toUpperCase() + "!"; }
export function sum(values: f64[]): f64 { let t = 0.0; for (let i = 0; i < values.length; i++) t += values[i]; return t; }
export function words(text: string): string[] { return text.split(" "); }
export function join(parts: string[], by: string = ","): string { return parts.join(by); }
export function u64s(x: u64): u64 { return x; }
export function u32s(x: u32): u32 { return x; }
export function i8s(x: i8): i8 { return x; }
export function twice(xs: StaticArray<i64>): StaticArray<i64> { for (let i = 0; i < xs.length; i++) xs[i] *= 2; return xs; }
export function flip(bytes: Uint8Array): Uint8Array { return bytes.map((x) => x ^ 255); }
export function isOdd(x: u8): bool { return (x & 1) == 1; }
export function not(flags: bool[]): bool[] { return flags.map<bool>((flag) => !flag); }
export function float(x: f32): f32 { return x; }
export function maybe(text: string | null): string | null { return text; }
export function grid(rows: i32[][]): i32[][] { return rows; }
export function say(text: string): void { console.log(text); trace("t", 2, 1, 2.5); }
export function fail(): void { throw new Error("on purpose"); }
export function trap(): i32 { return unreachable(); }
export function forever(n: i32): i32 { return forever(n + 1) + 1; }
export function map(m: Map<string, i32>): i32 { return m.size; }
export function getMap(): Map<string, i32> { return new Map<string, i32>(); }
export class Point { x: i32 = 0; }
`;

let compiled: CompiledModule;
before(async () => {
  using files = workspace({ "math.ts": source });
  compiled = await compileModule({ file: "math.ts", cwd: files.path });
});

const call = (name: string, ...args: string[]): Promise<string> =>
  callExport({ wasm: compiled.wasm, types: compiled.types, name, args });
const callBare = (name: string, ...args: string[]): Promise<string> =>
  callExport({ wasm: compiled.wasm, name, args });

describe("with the source's types, a call gives", () => {
  const rows: readonly (readonly [result: string, name: string, ...args: string[]])[] = [
    ["3", "add", "1", "2"],
    ["-1", "add", "-2147483648", "2147483647"],
    ["GRÜSSE 😀!", "shout", "grüße 😀"],
    ["42!", "shout", "42"],
    ["3.5", "sum", "[1, 2.5]"],
    ["0", "sum", "[]"],
    ['["a","b","c"]', "words", "a b c"],
    ["a,b", "join", '["a","b"]'],
    ["1-null", "join", '["1","null"]', "-"],
    ["18446744073709551615", "u64s", "18446744073709551615"],
    ["255", "u64s", "0xff"],
    ["4294967295", "u32s", "4294967295"],
    ["-128", "i8s", "-128"],
    ["[18014398509481986]", "twice", "[9007199254740993]"],
    ["[254,253,0]", "flip", "[1,2,255]"],
    ["true", "isOdd", "3"],
    ["[false,true]", "not", "[true,false]"],
    ["0.1", "float", "0.1"],
    ["NaN", "float", "NaN"],
    ["null", "maybe", "null"],
    ["x", "maybe", "x"],
    ["", "maybe", ""],
    ["[[1,2],[3]]", "grid", "[[1,2],[3]]"],
  ];
  for (const [result, name, ...args] of rows) {
    test(`${result} for ${name}(${args.join(", ")})`, async () =>
      assert.equal(await call(name, ...args), result));
  }
});

describe("a call that cannot be made says why:", () => {
  const rows: readonly (readonly [message: RegExp, name: string, ...args: string[]])[] = [
    [/^Cannot call "nope": the module exports no function of that name; it exports add, /, "nope"],
    [/^Cannot call "memory": /, "memory"],
    [/^Cannot call "__new": /, "__new", "1", "2"],
    [/^Cannot call "add" with 1 argument, want 2: add\(a: i32, b: i32\)$/, "add", "1"],
    [
      /^Cannot call "join" with 0 arguments, want 1 to 2: join\(parts: string\[\], by: string \(optional\)\)$/,
      "join",
    ],
    [/^Cannot pass argument 2 \(b\): found x, want i32$/, "add", "1", "x"],
    [/found 1.5, want i32$/, "add", "1", "1.5"],
    [
      /^Cannot pass argument 1 \(a\): 2147483648 is out of range, i32 is -2147483648 to 2147483647$/,
      "add",
      "2147483648",
      "1",
    ],
    [/300 is out of range, u8 is 0 to 255$/, "isOdd", "300"],
    [/want f64\[\], written as JSON: \[1.5,2\]$/, "sum", "1,2"],
    [/^Cannot pass argument 1 \(values\), item 2: found "x", want f64$/, "sum", '[1,"x"]'],
    [/item 1: found 1, want string$/, "join", "[1]"],
    [/a Map<.*cannot be given on the command line$/, "map", "{}"],
    [/^Cannot show the result: /, "getMap"],
    [/^The module aborted at math\.ts:\d+:\d+: on purpose$/, "fail"],
    [/^"trap" trapped: unreachable$/, "trap"],
    [/^(The module aborted|"forever" trapped).*stack/i, "forever", "1"],
  ];
  for (const [message, name, ...args] of rows) {
    test(`${name}(${args.join(", ")})`, async () => {
      await assert.rejects(call(name, ...args), (error) => {
        assert(error instanceof UserError || error instanceof WrongArguments, String(error));
        assert.match(error.message, message);
        return true;
      });
    });
  }
});

test("what the module logs is handed over, apart from the result", async () => {
  const lines: string[] = [];
  const log = (line: string): void => void lines.push(line);
  assert.equal(
    await callExport({ wasm: compiled.wasm, types: compiled.types, name: "say", args: ["hé"], log }),
    "",
  );
  assert.deepEqual(lines, ["hé", "t 1 2.5"]);
});

describe("without types, a module that exports its runtime is called by the look of the arguments:", () => {
  const rows: readonly (readonly [result: string, name: string, ...args: string[]])[] = [
    ["3", "add", "1", "2"],
    ["HÉ!", "shout", "hé"],
    ["42!", "shout", '"42"'],
    ["3.5", "sum", "[1, 2.5]"],
    ['["a","b"]', "words", "a b"],
    ["a-b", "join", '["a","b"]', "-"],
    ["9007199254740993", "u64s", "9007199254740993"],
  ];
  for (const [result, name, ...args] of rows) {
    test(`${result} for ${name}(${args.join(", ")})`, async () =>
      assert.equal(await callBare(name, ...args), result));
  }
});

describe("a module of any other compiler", () => {
  const text = `(module
    (import "other" "thing" (func $thing))
    (func (export "add") (param i32 i64) (result i64) (i64.add (i64.extend_i32_s (local.get 0)) (local.get 1)))
    (func (export "half") (param f32) (result f32) (f32.div (local.get 0) (f32.const 2)))
    (func (export "needy") (call $thing)))`;
  let wasm: Uint8Array<ArrayBuffer>;
  before(async () => {
    using module = disposable((await wabt()).parseWat("test.wat", text));
    wasm = new Uint8Array(module.value.toBinary({}).buffer);
  });

  test("takes and gives numbers", async () => {
    assert.equal(
      await callExport({ wasm, name: "add", args: ["-1", "9007199254740993"] }),
      "9007199254740992",
    );
    assert.equal(await callExport({ wasm, name: "half", args: ["0.2"] }), "0.1");
  });

  test("takes nothing but numbers", async () => {
    await assert.rejects(callExport({ wasm, name: "add", args: ["x", "1"] }), /found x, want i32/);
  });

  test("runs until it calls an import that only a host answers", async () => {
    await assert.rejects(
      callExport({ wasm, name: "needy", args: [] }),
      /The module called other\.thing, which only a host answers/,
    );
  });

  test("must be valid", async () => {
    await assert.rejects(
      callExport({ wasm: new Uint8Array(9), name: "x", args: [] }),
      /no valid WebAssembly module/,
    );
  });
});

function disposable<T extends { destroy(): void }>(value: T): Disposable & { readonly value: T } {
  return { value, [Symbol.dispose]: () => value.destroy() };
}

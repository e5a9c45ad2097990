// The SDK's JSON: as strict as RFC 8259, and never a trap for what a client sends.

import { strict as assert } from "node:assert";
import { before, describe, test } from "node:test";
import { callGuest } from "./guest-harness.ts";
import { testModule } from "./guests.ts";

let module: WebAssembly.Module;
before(async () => {
  module = await testModule("json");
});

const parse = (body: string) => callGuest(module, { method: "POST", path: "/", body });

describe("JSON.parse takes", () => {
  const rows: readonly (readonly [text: string, written?: string])[] = [
    ["null"],
    ["true"],
    ["false"],
    [" \t\r\n1 ", "1"],
    ["0"],
    ["-0"],
    ["-12.5e+3"],
    ["1E5"],
    ["1e-400"],
    ["9007199254740993"],
    ['""'],
    ['"a\\u00e9\\n\\/\\""', '"aé\\n/\\""'],
    ['"\\ud83d\\ude00"', '"😀"'],
    ['"\\ud800"'],
    ['"\\udc00\\ud800"'],
    ['"é\u2028😀"'],
    ["[]"],
    ["{}"],
    ['[1, [2, {}], "x"]', '[1,[2,{}],"x"]'],
    ['{"a":1,"a":2}', '{"a":2}'],
    ['{"":{"b":[null]}}'],
    ['{"__proto__":1,"constructor":2}'],
    ["[".repeat(128) + "]".repeat(128)],
  ];
  for (const [text, written = text] of rows) {
    test(text.length > 60 ? `${text.length} brackets` : text, () => {
      const answer = parse(text);
      assert.equal(answer.status, 200, answer.text);
      assert.equal(answer.text, written);
      assert.deepEqual(JSON.parse(answer.text), JSON.parse(text));
    });
  }
});

describe("JSON.parse refuses", () => {
  const rows: readonly (readonly [text: string, error: string])[] = [
    ["", "line 1, column 1: want a value, found the end"],
    ["  ", "line 1, column 3: want a value, found the end"],
    ["nul", "line 1, column 1: want a value"],
    ["True", "line 1, column 1: want a value"],
    ["NaN", "line 1, column 1: want a value"],
    ["Infinity", "line 1, column 1: want a value"],
    ["1 2", "line 1, column 3: want the end, found more after the value"],
    ['{"a":1}x', "line 1, column 8: want the end, found more after the value"],
    ["nullx", "line 1, column 5: want the end, found more after the value"],
    ["01", "line 1, column 2: a number must not begin with 0"],
    ["-01", "line 1, column 3: a number must not begin with 0"],
    ["+1", "line 1, column 1: want a value"],
    ["-", "line 1, column 2: want a digit"],
    ["1.", "line 1, column 3: want a digit"],
    [".5", "line 1, column 1: want a value"],
    ["1e", "line 1, column 3: want a digit"],
    ["1e+", "line 1, column 4: want a digit"],
    ["0x10", "line 1, column 2: want the end, found more after the value"],
    ["1e400", "line 1, column 1: the number is out of range"],
    ["-1e309", "line 1, column 1: the number is out of range"],
    ['"abc', "line 1, column 5: want a closing quote, found the end"],
    ['"\\', "line 1, column 3: no such escape"],
    ['"\\x"', "line 1, column 3: no such escape"],
    ['"\\u12g4"', "line 1, column 6: want four hex digits"],
    ['"\\u12', "line 1, column 6: want four hex digits"],
    ['"a\tb"', "line 1, column 3: a control character must be escaped"],
    ["'a'", "line 1, column 1: want a value"],
    ["[1,]", "line 1, column 4: want a value"],
    ["[1 2]", "line 1, column 4: want a comma or ]"],
    ["[", "line 1, column 2: want a value, found the end"],
    ["[1", "line 1, column 3: want a comma or ]"],
    ["]", "line 1, column 1: want a value"],
    ['{"a":1,}', "line 1, column 8: want a name in double quotes"],
    ["{a:1}", "line 1, column 2: want a name in double quotes"],
    ['{"a" 1}', "line 1, column 6: want a colon"],
    ['{"a":}', "line 1, column 6: want a value"],
    ['{"a":1', "line 1, column 7: want a comma or }"],
    ["[\n  1,\n  /* no */ 2\n]", "line 3, column 3: want a value"],
    ["\u00a01", "line 1, column 1: want a value"],
    ["[".repeat(129), "line 1, column 129: nested deeper than 128"],
    ['{"a":'.repeat(100_000), "line 1, column 641: nested deeper than 128"],
  ];
  for (const [text, error] of rows) {
    test(JSON.stringify(text.slice(0, 40)), () => {
      if (!error.includes("out of range")) assert.throws(() => JSON.parse(text));
      const answer = parse(text);
      assert.deepEqual([answer.status, answer.text], [400, error]);
    });
  }
});

test("numbers are read to the nearest f64, as JavaScript does", () => {
  const texts = [
    "0.1",
    "1.7976931348623157e308",
    "5e-324",
    "2.2250738585072014e-308",
    "123456789012345678",
    "0.30000000000000004",
  ];
  const object = Object.fromEntries(texts.map((text, index) => [`n${index}`, text]));
  for (const text of Object.values(object)) {
    const { number } = JSON.parse(
      callGuest(module, { path: "/getters", body: `{"number":${text},"nothing":null}` }).text,
    );
    assert.equal(number, Number(text));
  }
});

test("typed getters give the value, or the fallback for another type", () => {
  const body = JSON.stringify({
    ...{
      string: "x",
      number: 1.5,
      exponent: 1e3,
      bool: true,
      list: [1, "zwei"],
      inner: { a: 1 },
      nothing: null,
    },
  }).replace("{", '{"big":9007199254740993,');
  const text = callGuest(module, { path: "/getters", body }).text;
  assert.match(text, /"big":9007199254740993/);
  assert.deepEqual(JSON.parse(text), {
    ...{ string: "x", stringOfNumber: null, number: 1.5, numberMissing: 7, fraction: -1, exponent: 1000 },
    big: Number("9007199254740993"),
    ...{
      bool: true,
      boolOfString: true,
      length: 2,
      second: "zwei",
      innerSize: 1,
      hasNull: true,
      isNull: true,
    },
    keys: ["big", "string", "number", "exponent", "bool", "list", "inner", "nothing"],
  });
});

test("the builder writes every type that it takes", () => {
  assert.equal(
    callGuest(module, { path: "/build" }).text,
    '{"string":"again","i32":-1,"u64":18446744073709551615,"i64":-9223372036854775808,"u8":200,"float":0.1,' +
      '"whole":3,"nan":null,"yes":true,"null":null,"alsoNull":null,"strings":["a","b"],"numbers":[1.5,2],' +
      '"array":[1,"two",{}],"value":false}',
  );
});

test("quote() escapes what JSON wants escaped", () => {
  for (const text of ['a"b\\c', "\n\r\t\b\f\u0000\u001f", "é😀\u2028", "</script>"]) {
    assert.equal(JSON.parse(callGuest(module, { path: "/quote", body: text }).text), text);
  }
});

test("a large document is read and written in one call", () => {
  const document = JSON.stringify(
    Array.from({ length: 5_000 }, (_, id) => ({ id, name: `item ${id}`, tags: ["a", "b"] })),
  );
  assert.equal(parse(document).text, document);
});

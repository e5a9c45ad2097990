// docs/threat-model.md A20-A22, H6: what a module may import is an allow-list; names that JavaScript objects have
// by birth are not on it.

import { strict as assert } from "node:assert";
import { after, test } from "node:test";
import { answering, assemble, guest, literal } from "../support/guests.ts";
import { responseMessage } from "../support/messages.ts";
import { assertProblem, TestHost } from "../support/test-host.ts";

const host = await TestHost.start();
after(() => host.close());
await host.deploy("fn", answering("still here"));

/** Uploads a module that has these imports; every one of them must be named in the refusal. */
async function refused(imports: string, named: readonly string[]): Promise<void> {
  const answer = await host.upload("fn", guest("", "", imports));
  assertProblem(answer, 422, "unknown_import");
  const problem = answer.json() as { imports: string[]; detail: string };
  for (const name of named)
    assert.ok(
      problem.imports.some((text) => text.includes(name)),
      `${name}: ${answer.text}`,
    );
  assert.equal((await host.call("fn")).text, "still here");
}

const born = [
  "constructor",
  "__proto__",
  "prototype",
  "toString",
  "toLocaleString",
  "valueOf",
  "hasOwnProperty",
  "isPrototypeOf",
  "propertyIsEnumerable",
  "__defineGetter__",
  "__defineSetter__",
  "__lookupGetter__",
  "__lookupSetter__",
  "then",
  "toJSON",
  "caller",
  "callee",
  "arguments",
  "length",
  "name",
  "apply",
  "bind",
  "call",
  "eval",
  "Function",
  "process",
  "require",
  "globalThis",
  "import",
  "make",
];
for (const name of born) {
  test(`"${name}" is offered at no level, neither as function nor as global`, async () => {
    const text = literal(name);
    const kinds = ["(func (param externref) (result externref))", "(global externref)"];
    for (const kind of kinds) {
      for (const pair of [
        [text, text],
        ["mayfly", text],
        ["env", text],
        [text, "log"],
      ]) {
        await refused(`(import "${pair[0]}" "${pair[1]}" ${kind})`, [`"${name}"`]);
      }
    }
  });
}

test("every unknown import is named at once, up to a bound", async () => {
  await refused(
    `(import "a" "one" (func)) (import "b" "two" (global i32)) (import "c" "three" (table 1 funcref))`,
    ['"a" "one"', '"b" "two"', '"c" "three"'],
  );
  const many = Array.from({ length: 900 }, (_, at) => `(import "m" "n${at}" (func))`).join("");
  const answer = await host.upload("fn", guest("", "", many));
  assertProblem(answer, 422, "unknown_import");
  assert.match(answer.text, /and 880 more/);
  assert.ok(answer.bytes.length < 50_000);
});

const wrong = [
  ["a wrong signature", `(import "mayfly" "log" (func (param i64 i32 i32)))`],
  ["too few parameters", `(import "mayfly" "log" (func (param i32)))`],
  ["a result too many", `(import "mayfly" "response_write" (func (param i32 i32) (result i32)))`],
  ["references in place of numbers", `(import "mayfly" "request_read" (func (param externref)))`],
  ["a global in place of a function", `(import "mayfly" "log" (global i32))`],
  ["a mutable global", `(import "env" "counter" (global (mut i32)))`],
  ["a table", `(import "env" "table" (table 1 funcref))`],
  ["a tag", `(import "env" "tag" (tag (param i32)))`],
  ["empty names", `(import "" "" (func))`],
  ["a name with a NUL", `(import "mayfly\\00" "log\\00" (func))`],
  ["a name in capitals", `(import "Mayfly" "Log" (func (param i32 i32 i32)))`],
  ["a string constant of js-string", `(import "'" "secret" (global externref))`],
  ["the host's own module", `(import "mayfly:host" "global" (global i32))`],
  [
    "a WASI call of an earlier form",
    `(import "wasi_unstable" "fd_write" (func (param i32 i32 i32 i32) (result i32)))`,
  ],
] as const;
for (const [what, imports] of wrong) {
  test(`${what} is unknown_import`, () => refused(imports, []));
}

for (const name of ["cast", "test", "fromCharCode", "concat", "length", "fromCharCodeArray"]) {
  test(`the builtin wasm:js-string ${name} is unknown_import`, async () => {
    await refused(`(import "wasm:js-string" "${name}" (func (param externref) (result i32)))`, [name]);
  });
}

test("an imported memory is refused, the host's own module name included", async () => {
  for (const [module, name] of [
    ["env", "memory"],
    ["mayfly:host", "memory"],
  ]) {
    const bytes = assemble(`(module (import "${module}" "${name}" (memory 1)) (export "memory" (memory 0))
      (func (export "mayfly_handle") (param i32)))`);
    assertProblem(await host.upload("fn", bytes), 422, "unknown_import");
  }
});

test("a name of a hundred thousand bytes and one of escapes are cut and made harmless in the answer", async () => {
  const answer = await host.upload(
    "fn",
    guest("", "", `(import "${"x".repeat(100_000)}" "\\1b[2J\\0a{" (func))`),
  );
  assertProblem(answer, 422, "unknown_import");
  assert.ok(answer.bytes.length < 2_000);
  assert.ok(!answer.text.includes("\x1b") && !answer.text.includes("\\u001b"));
});

test("the same import twice is one host call under two names", async () => {
  const bytes = responseMessage({ body: "twice" });
  const twice = `(import "mayfly" "response_write" (func $a (param i32 i32)))
    (import "mayfly" "response_write" (func $b (param i32 i32)))`;
  const data = `(data (i32.const 0) "${literal(bytes)}")`;
  await host.deploy("twice", guest(`(call $b (i32.const 0) (i32.const ${bytes.length}))`, data, twice));
  assert.equal((await host.call("twice")).text, "twice");
});

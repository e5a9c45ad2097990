// compileFunction: what it takes, what it resolves, and what it leaves in the module.

import { strict as assert } from "node:assert";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { compileFunction } from "../../host/build/compile.ts";
import { callGuest, GuestAbort } from "../guest/guest-harness.ts";
import { helloSource, workspace } from "./workspace.ts";

const textOf = (wasm: Uint8Array): string =>
  Buffer.from(wasm).toString("latin1") + Buffer.from(wasm).toString("utf16le");
const moduleOf = (wasm: Uint8Array<ArrayBuffer>): WebAssembly.Module => new WebAssembly.Module(wasm);

test("a file with relative imports and a package of the user's builds and runs", async () => {
  using files = workspace({
    "src/index.ts": `
      import { Request, Response } from "mayfly";
      import { shout } from "./lib/shout";
      import { twice } from "../common/twice";
      import { mark } from "marks";
      export function handle(req: Request): Response {
        return Response.text(twice(shout(req.path)) + mark());
      }`,
    "src/lib/shout.ts": "export function shout(text: string): string { return text.toUpperCase(); }",
    "common/twice.ts": "export function twice(text: string): string { return text + text; }",
    "node_modules/marks/index.ts": 'export { mark } from "./mark";',
    "node_modules/marks/mark.ts": 'export function mark(): string { return "?!"; }',
  });
  const { wasm, warnings } = await compileFunction({ file: join(files.path, "src/index.ts") });
  assert.equal(warnings, "");
  assert.equal(callGuest(moduleOf(wasm), { path: "/ab" }).text, "/AB/AB?!");
});

test("the same sources give the same bytes, from any folder and for any name of the file's folder", async () => {
  using one = workspace({ "index.ts": helloSource });
  using other = workspace({ "deep/er/index.ts": helloSource });
  const first = await compileFunction({ file: "index.ts", cwd: one.path });
  const second = await compileFunction({ file: "deep/er/index.ts", cwd: other.path });
  const third = await compileFunction({ file: join(one.path, "index.ts") });
  assert.deepEqual(second.wasm, first.wasm);
  assert.deepEqual(third.wasm, first.wasm);
});

test("builds that are asked for together do not mix", async () => {
  using files = workspace();
  const texts = ["a", "b", "c", "d"];
  const built = await Promise.all(
    texts.map((text) =>
      compileFunction({ file: files.write(`${text}.ts`, helloSource.replace("hello", text)) }),
    ),
  );
  assert.deepEqual(
    built.map(({ wasm }) => callGuest(moduleOf(wasm), {}).text),
    ["a /", "b /", "c /", "d /"],
  );
});

test("a changed file is read again", async () => {
  using files = workspace({ "index.ts": helloSource });
  const file = join(files.path, "index.ts");
  await compileFunction({ file });
  files.write("index.ts", helloSource.replace("hello", "changed"));
  assert.equal(callGuest(moduleOf((await compileFunction({ file })).wasm), {}).text, "changed /");
});

test("an abort names the user's file from its own folder, and no path of the machine is in the module", async () => {
  using files = workspace({
    "index.ts": helloSource
      .replace("return", 'if (req.path == "/x") fail();\n  return')
      .replace("import", 'import { fail } from "./lib/fail";\nimport'),
    "lib/fail.ts": 'export function fail(): void {\n  throw new Error("on purpose");\n}\n',
  });
  const { wasm } = await compileFunction({ file: join(files.path, "index.ts") });
  assert.throws(
    () => callGuest(moduleOf(wasm), { path: "/x" }),
    (error) => error instanceof GuestAbort && error.place === "lib/fail.ts:2:3",
  );
  const text = textOf(wasm);
  assert(!text.includes(files.path) && !text.includes(process.cwd()) && !text.includes("guest/sdk"));
});

test("other exported functions stay exports; classes and handle do not become any", async () => {
  using files = workspace({
    "index.ts": `${helloSource}
      export function add(a: i32, b: i32): i32 { return a + b; }
      export class Point { x: i32 = 0; }
      export function id<T>(value: T): T { return value; }`,
  });
  const { wasm } = await compileFunction({ file: join(files.path, "index.ts") });
  const names = WebAssembly.Module.exports(moduleOf(wasm)).map(({ name }) => name);
  assert.deepEqual(names.sort(), ["add", "mayfly_handle", "memory"]);
});

test("handle may come from another file", async () => {
  using files = workspace({ "index.ts": 'export { handle } from "./hello";', "hello.ts": helloSource });
  const { wasm } = await compileFunction({ file: join(files.path, "index.ts") });
  assert.equal(callGuest(moduleOf(wasm), {}).text, "hello /");
});

test("an asconfig.json of the user's wins over the defaults, its entries and output are left alone", async () => {
  using files = workspace({
    "src/index.ts": helloSource,
    "asconfig.json": JSON.stringify({
      entries: ["nothing.ts"],
      targets: { release: { outFile: "build/out.wasm", textFile: "build/out.wat" } },
      options: { runtime: "stub" },
    }),
  });
  using plain = workspace({ "src/index.ts": helloSource });
  const stub = await compileFunction({ file: join(files.path, "src/index.ts") });
  const usual = await compileFunction({ file: join(plain.path, "src/index.ts") });
  assert(stub.wasm.length < usual.wasm.length / 1.5, `${stub.wasm.length} and ${usual.wasm.length}`);
  assert.equal(callGuest(moduleOf(stub.wasm), {}).text, "hello /");
  assert.deepEqual(readdirSync(files.path).sort(), ["asconfig.json", "src"]);
});

test("a build that is not optimised has function names and answers the same", async () => {
  using files = workspace({ "index.ts": helloSource });
  const { wasm } = await compileFunction({ file: join(files.path, "index.ts"), optimize: false });
  assert.equal(callGuest(moduleOf(wasm), {}).text, "hello /");
  assert.equal(WebAssembly.Module.customSections(moduleOf(wasm), "name").length, 1);
});

test("a function that makes much garbage in one call does not need much memory", async () => {
  using files = workspace({
    "index.ts": helloSource.replace(
      "return",
      'let s = "";\n  for (let i = 0; i < 4000; i++) s += "xy";\n  return',
    ),
  });
  const { wasm } = await compileFunction({ file: join(files.path, "index.ts") });
  const memory = new WebAssembly.Memory({ initial: 1 });
  assert.equal(memory.buffer.byteLength, 65_536);
  let pages = 0;
  const instance = new WebAssembly.Instance(moduleOf(wasm), {
    mayfly: {
      request_read: (pointer: number) =>
        new Uint8Array((instance.exports.memory as WebAssembly.Memory).buffer, pointer, 28).set([24]),
      response_write: () => {
        pages = (instance.exports.memory as WebAssembly.Memory).buffer.byteLength / 65_536;
      },
    },
    env: { abort: () => assert.fail("aborted") },
  });
  (instance.exports.mayfly_handle as (length: number) => void)(28);
  // 4,000 strings of up to 16 KB are 32 MB in all.
  assert(pages > 0 && pages < 32, `${pages} pages`);
});

test("the repository's asconfig.json is the one that compileFunction uses", () => {
  const root = join(import.meta.dirname, "../..");
  assert.deepEqual(JSON.parse(readFileSync(join(root, "asconfig.json"), "utf8")), {
    extends: "./guest/asconfig.json",
  });
  const { options } = JSON.parse(readFileSync(join(root, "guest/asconfig.json"), "utf8"));
  assert.equal(options.runtime, "incremental");
  // With a shrink level the standard library joins arrays of strings in quadratic time.
  assert.equal(options.shrinkLevel, 0);
});

// What a person reads when a build fails.

import { strict as assert } from "node:assert";
import { join } from "node:path";
import { describe, test } from "node:test";
import { BuildError } from "../../host/build/build-error.ts";
import { compileFunction } from "../../host/build/compile.ts";
import { helloSource, workspace } from "./workspace.ts";

async function failure(files: Readonly<Record<string, string>>, file = "src/index.ts"): Promise<BuildError> {
  using folder = workspace(files);
  try {
    await compileFunction({ file, cwd: folder.path });
  } catch (error) {
    assert(error instanceof BuildError, String(error));
    assert(!error.message.includes(folder.path), "paths are relative to the working directory");
    return error;
  }
  return assert.fail("the build succeeded");
}

test("a type error names the place from the working directory, with the line and carets", async () => {
  const error = await failure({ "src/index.ts": helloSource.replace('"hello " + req.path', "\t404") });
  assert.deepEqual(error.diagnostics, [
    {
      ...{
        code: 2322,
        severity: "error",
        message: "Type 'i32' is not assignable to type '~lib/string/String'.",
      },
      ...{ file: "src/index.ts", line: 4, column: 25, length: 3, snippet: "  return Response.text(\t404);" },
    },
  ]);
  assert.equal(
    error.message,
    "src/index.ts:4:25: error TS2322: Type 'i32' is not assignable to type '~lib/string/String'.\n" +
      "  4 |   return Response.text(\t404);\n    |                        \t^^^",
  );
});

test("every error is reported, and those of imported files in their own", async () => {
  const error = await failure({
    "src/index.ts": `import { a } from "../lib/a";\n${helloSource}a(nope);\n`,
    "lib/a.ts": "export function a(x: i32): void { missing(); }\n",
  });
  assert.deepEqual(error.diagnostics.map(({ file, line }) => `${file}:${line}`).sort(), [
    "lib/a.ts:1",
    "src/index.ts:7",
  ]);
  assert.match(error.message, /src\/index\.ts:7:3: error TS2304: Cannot find name 'nope'/);
});

describe("a file without a fitting handle is told what to write:", () => {
  const wanted = "export function handle(req: Request): Response";
  const imports = 'import { Request, Response } from "mayfly";\n';
  const rows: readonly (readonly [what: string, source: string, place: string])[] = [
    ["no export", "export function other(): void {}\n", "src/index.ts:1:1"],
    ["an empty file", "", "src/index.ts:1:1"],
    ["not exported", helloSource.replace("export ", ""), "src/index.ts:1:1"],
    [
      "no parameter",
      `${imports}export function handle(): Response { return Response.text(""); }`,
      "src/index.ts:2:17",
    ],
    [
      "another parameter",
      `${imports}export function handle(x: string): Response { return Response.text(x); }`,
      "src/index.ts:2:17",
    ],
    [
      "two parameters",
      `${imports}export function handle(a: Request, b: i32): Response { return Response.text(""); }`,
      "src/index.ts:2:17",
    ],
    [
      "another result",
      `${imports}export function handle(req: Request): string { return ""; }`,
      "src/index.ts:2:17",
    ],
    ["no result", `${imports}export function handle(req: Request): void {}`, "src/index.ts:2:17"],
    ["no function", "export const handle: i32 = 1;", "src/index.ts:1:14"],
    ["a class", "export class handle {}", "src/index.ts:1:14"],
  ];
  for (const [what, source, place] of rows) {
    test(what, async () => {
      const { diagnostics, message } = await failure({ "src/index.ts": source });
      assert.equal(diagnostics.length, 1, message);
      assert(message.startsWith(`${place}: error: `), message);
      assert(message.includes(`write: ${wanted}`), message);
    });
  }
});

test("an import that is not there is an error at the import", async () => {
  const error = await failure({ "src/index.ts": `import { x } from "./gone";\n${helloSource}` });
  assert.match(error.message, /^src\/index\.ts:1:19: error TS6054: File '.*gone.ts' not found/);
});

test("a syntax error has its place", async () => {
  const error = await failure({ "src/index.ts": `${helloSource}function (` });
  assert.equal(error.diagnostics[0]?.line, 6);
});

test("a file that does not exist, is a folder or no TypeScript is said to be so", async () => {
  assert.equal((await failure({})).message, 'error: cannot build "src/index.ts": there is no such file');
  assert.equal(
    (await failure({ "src/index.ts/x": "" })).message,
    'error: cannot build "src/index.ts": it is no file',
  );
  assert.equal(
    (await failure({ "a.js": "" }, "a.js")).message,
    'error: cannot build "a.js", want a .ts file',
  );
});

test("an asconfig.json that is no JSON, and an option with a bad value, fail the build", async () => {
  assert.match(
    (await failure({ "src/index.ts": helloSource, "asconfig.json": "{" })).message,
    /not valid json/,
  );
  const options = { options: { runtime: "./nowhere" } };
  assert.match(
    (await failure({ "src/index.ts": helloSource, "asconfig.json": JSON.stringify(options) })).message,
    /nowhere/,
  );
});

test("warnings do not fail the build and are handed over", async () => {
  using files = workspace({ "index.ts": helloSource.replace("return", 'WARNING("look here");\n  return') });
  const { warnings } = await compileFunction({ file: "index.ts", cwd: files.path });
  assert.match(warnings, /^index\.ts:4:\d+: warning AS\d+: .*look here/);
});

test("a failed build leaves the compiler fit for the next", async () => {
  using files = workspace({ "index.ts": helloSource });
  await failure({ "src/index.ts": "?" });
  assert((await compileFunction({ file: join(files.path, "index.ts") })).wasm.length > 0);
});

test("a crash of the compiler is an error of that build alone", async () => {
  using files = workspace({
    "index.ts": helloSource,
    "crash/index.ts": helloSource,
    "crash/exit.cjs": "module.exports = class { afterParse() { process.exit(1); } };",
    "crash/asconfig.json": JSON.stringify({ options: { transform: ["./exit.cjs"] } }),
  });
  const crash = compileFunction({ file: "crash/index.ts", cwd: files.path });
  const next = compileFunction({ file: "index.ts", cwd: files.path });
  await assert.rejects(
    crash,
    (error) => error instanceof BuildError && /compiler crashed/.test(error.message),
  );
  assert((await next).wasm.length > 0);
});

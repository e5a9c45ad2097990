// `mayfly init`: a project that TypeScript finds nothing wrong with and that builds, with nothing
// installed.

import { strict as assert } from "node:assert";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { compileFunction } from "../../host/build/compile.ts";
import { initProject } from "../../host/build/init.ts";
import { UserError } from "../../host/build/user-error.ts";
import { callGuest } from "../guest/guest-harness.ts";
import { workspace } from "./workspace.ts";

const tsc = join(import.meta.dirname, "../../node_modules/typescript/bin/tsc");

function typeCheck(directory: string): string {
  try {
    return execFileSync(process.execPath, [tsc, "--noEmit", "--pretty", "false", "-p", directory], {
      encoding: "utf8",
    });
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}

test("a fresh project has no type errors, builds, and says hello", async () => {
  using folder = workspace();
  const project = join(folder.path, "my-function");
  const { files } = await initProject(project);
  assert.deepEqual(
    files.filter((file) => !file.startsWith(".mayfly-sdk/")),
    [".gitignore", "README.md", "index.ts", "tsconfig.json"],
  );
  for (const file of files) assert(existsSync(join(project, file)), file);
  assert.equal(typeCheck(project), "");
  const { wasm } = await compileFunction({ file: join(project, "index.ts") });
  const { text, log } = callGuest(new WebAssembly.Module(wasm), { query: "name=Ada" });
  assert.equal(text, "Hello, Ada!");
  assert.deepEqual(log, ["info GET /"]);
});

test("the editor knows AssemblyScript's types and finds mistakes", async () => {
  using folder = workspace();
  const project = join(folder.path, "p");
  await initProject(project);
  folder.write(
    "p/more.ts",
    'import { JsonObject, Request } from "mayfly";\n' +
      "export const list: StaticArray<u8> = [1, 2];\n" +
      "export const text: string = (7 as i32).toString() + u64.MAX_VALUE.toString() + changetype<usize>(list).toString();\n" +
      'export const json: string = new JsonObject().set("a", 1).set("b", ["x"]).toString();\n' +
      "export const wrong: string = list[0];\n" +
      "export function f(req: Request): void { req.nope(); }\n",
  );
  const errors = typeCheck(project).trim().split("\n");
  assert.equal(errors.length, 2, errors.join("\n"));
  assert.match(errors[0] ?? "", /more\.ts\(5,14\): error TS2322/);
  assert.match(errors[1] ?? "", /more\.ts\(6,45\): error TS2339/);
});

test("the SDK's every public function has a docstring with an example", async () => {
  const sdk = join(import.meta.dirname, "../../guest/sdk");
  const names = [...readFileSync(join(sdk, "index.ts"), "utf8").matchAll(/from "\.\/(.*)"/g)].map(
    (match) => match[1],
  );
  assert(names.length > 5);
  for (const name of names) {
    const lines = readFileSync(join(sdk, `${name}.ts`), "utf8").split("\n");
    lines.forEach((line, index) => {
      const isMember = /^ {2}(static |get |readonly |export function )?[a-z]\w*(<T>)?(\(.*[{]$|: .*;$)/i.test(
        line,
      );
      const isTop = /^export (class|function|namespace) /.test(line);
      if (!(isMember || isTop) || /^ {2}(return|if|for|const|let|private|override)\b/.test(line)) return;
      const above = lines.slice(0, index).join("\n");
      const doc = above.slice(above.lastIndexOf("/**"));
      assert(doc.trimEnd().endsWith("*/"), `${name}.ts:${index + 1} has no docstring: ${line}`);
      assert(
        /```ts|Example: |[Ff]or the SDK|the SDK/.test(doc),
        `${name}.ts:${index + 1} has no example: ${line}`,
      );
    });
  }
});

test("the files name no path of this machine", async () => {
  using folder = workspace();
  const { files } = await initProject(folder.path);
  for (const file of files) {
    const text = readFileSync(join(folder.path, file), "utf8");
    assert(!text.includes(process.cwd()) && !text.includes(folder.path), file);
  }
});

test("a folder with something in it is refused and left as it was; a fresh git repository is not", async () => {
  using folder = workspace({ "taken/notes.txt": "mine", file: "" });
  const taken = join(folder.path, "taken");
  await assert.rejects(
    initProject(taken),
    (error) => error instanceof UserError && /it holds notes\.txt/.test(error.message),
  );
  assert.equal(readFileSync(join(taken, "notes.txt"), "utf8"), "mine");
  assert(!existsSync(join(taken, "index.ts")));
  await assert.rejects(initProject(join(folder.path, "file")), /it is a file/);
  mkdirSync(join(folder.path, "new/.git"), { recursive: true });
  assert((await initProject(join(folder.path, "new"))).files.includes("index.ts"));
});

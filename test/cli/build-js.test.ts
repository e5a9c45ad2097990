// `mayfly build --target js`, with the package that makes the component replaced by one of a few lines in the
// project's own node_modules: what it is asked for, and what becomes of what it says.

import assert from "node:assert/strict";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { withFolder } from "./fixtures.ts";
import { cli } from "./run-cli.ts";

/** Answers with what it was asked for, in place of a component. */
const fake = `import { readFile } from "node:fs/promises";
export async function componentize({ sourcePath, witWorld, enableFeatures }) {
  const source = await readFile(sourcePath, "utf8");
  if (source.includes("FAIL")) throw new Error("no such thing as FAIL");
  return { component: Buffer.from(JSON.stringify({ source, witWorld, enableFeatures })) };
}`;

async function withPackage(run: (folder: string) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const target = join(folder, "node_modules/@bytecodealliance/componentize-js");
    await mkdir(target, { recursive: true });
    await writeFile(join(target, "package.json"), '{"type":"module","exports":{"import":"./index.js"}}');
    await writeFile(join(target, "index.js"), fake);
    await run(folder);
  });
}

test("build makes a component of a .js file, and of a .ts file without its types, with the project's package", async () => {
  await withPackage(async (folder) => {
    await writeFile(join(folder, "app.js"), "addEventListener('fetch', () => {});");
    await writeFile(join(folder, "typed.ts"), "const n: number = 1;");
    const built = await cli(["build", "app.js"], { cwd: folder });
    assert.equal(built.exitCode, 0, built.stderr);
    const asked = JSON.parse(await readFile(join(folder, "app.wasm"), "utf8")) as Record<string, unknown>;
    assert.equal(asked["source"], "addEventListener('fetch', () => {});");
    assert.match(String(asked["witWorld"]), /export wasi:http\/incoming-handler@0\.2\.\d+/);
    assert.deepEqual(asked["enableFeatures"], ["http", "fetch-event"]);
    const typed = await cli(["build", "typed.ts", "--target", "js", "-o", "out.wasm"], { cwd: folder });
    assert.equal(typed.exitCode, 0, typed.stderr);
    const stripped = JSON.parse(await readFile(join(folder, "out.wasm"), "utf8")) as { source: string };
    assert.match(stripped.source, /^const n\s+= 1;$/);
  });
});

test("what the package says is the failure of the build, and nothing is written", async () => {
  await withPackage(async (folder) => {
    await writeFile(join(folder, "app.js"), "FAIL");
    const { exitCode, stderr } = await cli(["build", "app.js"], { cwd: folder });
    assert.equal(exitCode, 1);
    assert.match(stderr, /no such thing as FAIL/);
    assert.equal((await readdir(folder)).includes("app.wasm"), false);
  });
});

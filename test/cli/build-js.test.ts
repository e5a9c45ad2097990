// `mayfly build --target js`, with the package that makes the component replaced by one of a few lines in the
// project's own node_modules: what it is asked for, and what becomes of what it says.

import assert from "node:assert/strict";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { withFolder } from "./fixtures.ts";
import { cli } from "./run-cli.ts";

/** Answers with what it was asked for, and with the modules that it finds, in place of a component. */
const fake = `import { readFile } from "node:fs/promises";
import { dirname, relative, resolve } from "node:path";
export async function componentize({ sourcePath, witWorld, enableFeatures }) {
  const source = await readFile(sourcePath, "utf8");
  if (source.includes("FAIL")) throw new Error("no such thing as FAIL");
  const imported = [];
  for (const [, path] of source.matchAll(/from "(\\..*)"|import "(\\..*)"/g).map(([all, a, b]) => [all, a ?? b])) {
    const file = resolve(dirname(sourcePath), path);
    imported.push([relative(process.cwd(), file), await readFile(file, "utf8")]);
  }
  return { component: Buffer.from(JSON.stringify({ source, witWorld, enableFeatures, imported })) };
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

test("build --reuse puts fetch events of our own before the script, and leaves nothing beside it", async () => {
  await withPackage(async (folder) => {
    await writeFile(join(folder, "app.js"), "addEventListener('fetch', () => {});");
    await writeFile(join(folder, "typed.ts"), "const n: number = 1;");
    const before = (await readdir(folder)).length;
    for (const [file, script] of [
      ["app.js", /^addEventListener/],
      ["typed.ts", /^const n\s+= 1;$/],
    ] as const) {
      const built = await cli(["build", file, "--target", "js", "--reuse", "-o", "out.wasm"], {
        cwd: folder,
      });
      assert.equal(built.exitCode, 0, built.stderr);
      const asked = JSON.parse(await readFile(join(folder, "out.wasm"), "utf8")) as {
        source: string;
        witWorld: string;
        enableFeatures: string[];
        imported: [string, string][];
      };
      assert.match(asked.source, /^export \{ incomingHandler \}/);
      assert.deepEqual(asked.enableFeatures, ["http"]);
      assert.match(asked.witWorld, /import wasi:http\/types@0\.2\.\d+;/);
      const [events, own] = asked.imported;
      assert.match(events?.[1] ?? "", /export const incomingHandler/);
      // A script may import what lies below the folder that the package runs in.
      assert.doesNotMatch(own?.[0] ?? "", /\.\./);
      assert.match(own?.[1] ?? "", script);
    }
    assert.equal((await readdir(folder)).length, before + 1, "out.wasm alone");
    const assembly = await cli(["build", "typed.ts", "--reuse"], { cwd: folder });
    assert.equal(assembly.exitCode, 2);
    assert.match(assembly.stderr, /--reuse is for --target js/);
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

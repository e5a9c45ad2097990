// Modules of guests of this repository, built once: under node_modules, by a digest of all that they are
// made of. `npm start` and the tests build the same ones.

import { createHash } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { compileFunction } from "../host/build/compile.ts";

const root = join(import.meta.dirname, "..");
const folder = join(root, "node_modules", ".cache", "mayfly");

/** The module of a source file; throws BuildError. */
export async function builtFunction(file: string): Promise<Uint8Array<ArrayBuffer>> {
  const ready = join(folder, `${basename(dirname(file))}-${basename(file)}-${digestFor(file)}.wasm`);
  try {
    return new Uint8Array(await readFile(ready));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  const { wasm } = await compileFunction({ file });
  await mkdir(folder, { recursive: true });
  const partial = `${ready}.${process.pid}.part`;
  try {
    await writeFile(partial, wasm);
    await rename(partial, ready);
  } finally {
    await rm(partial, { force: true });
  }
  return wasm;
}

let shared: string | undefined;

/** Of the sources beside the file, of what they may import, and of what builds them. */
function digestFor(file: string): string {
  shared ??= digestOf([
    ...list("{guest,host/build}/**/*.{ts,json}", root),
    join(root, "node_modules/assemblyscript/package.json"),
  ]);
  const own = digestOf(list("**/*.{ts,json}", dirname(file)));
  return createHash("sha256").update(shared).update(own).update(basename(file)).digest("hex").slice(0, 32);
}

function list(pattern: string, cwd: string): string[] {
  return globSync(pattern, { cwd })
    .sort()
    .map((name) => join(cwd, name));
}

function digestOf(files: readonly string[]): string {
  const hash = createHash("sha256");
  for (const file of files)
    hash.update(file.slice(root.length)).update("\0").update(readFileSync(file)).update("\0");
  return hash.digest("hex");
}

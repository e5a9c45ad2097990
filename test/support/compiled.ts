// Guests that tests run, compiled. Loading the compiler takes seconds, and a process is started for each
// test file: `npm test` compiles them all once, beside the first tests, and says where they are.

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { builtFunction } from "../../scripts/build-cache.ts";

/** Names the folder of compiled guests. */
export const guestsVariable = "MAYFLY_TEST_GUESTS";
const doneName = "done";
const waitMsMax = 60_000;

/** The module of a source file, from the run's folder when there is one. */
export async function compiled(file: string): Promise<Uint8Array<ArrayBuffer>> {
  const folder = process.env[guestsVariable];
  if (folder !== undefined) {
    const ready = join(folder, nameOf(file));
    const endMs = performance.now() + waitMsMax;
    while (!existsSync(ready) && !existsSync(join(folder, doneName)) && performance.now() < endMs)
      await pause(50);
    if (existsSync(ready)) return new Uint8Array(await readFile(ready));
  }
  return builtFunction(file);
}

/** Compiles files into a folder; one that has faults is left to the test that wants it. */
export async function compileAll(files: readonly string[], folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const file of files) {
    try {
      const wasm = await builtFunction(file);
      const ready = join(folder, nameOf(file));
      await writeFile(`${ready}.part`, wasm);
      await rename(`${ready}.part`, ready);
    } catch {
      // The test says what is wrong with it.
    }
  }
  await writeFile(join(folder, doneName), "");
}

function nameOf(file: string): string {
  const path = createHash("sha256").update(file).digest("hex").slice(0, 16);
  return `${basename(dirname(file))}-${basename(file)}-${path}.wasm`;
}

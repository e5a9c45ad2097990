// Compiles guests for tests, once each for a test file.

import { join } from "node:path";
import { compileFunction } from "../../host/build/compile.ts";

export const examplesDirectory = join(import.meta.dirname, "../../guest/examples");

/** Compiles one of guest/examples. */
export async function exampleModule(name: string): Promise<WebAssembly.Module> {
  return WebAssembly.compile(
    (await compileFunction({ file: join(examplesDirectory, name, "index.ts") })).wasm,
  );
}

/** Compiles one of test/guest/functions. */
export async function testModule(name: string): Promise<WebAssembly.Module> {
  const file = join(import.meta.dirname, "functions", `${name}.as.ts`);
  return WebAssembly.compile((await compileFunction({ file })).wasm);
}

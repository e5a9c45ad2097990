// Compiles guests for tests, once each for a test file.

import { join } from "node:path";
import { compileFunction } from "../../host/build/compile.ts";
import { compileExample } from "../../scripts/examples.ts";

/** Compiles one of guest/examples. */
export async function exampleModule(name: string): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await compileExample(name));
}

/** Compiles one of test/guest/functions. */
export async function testModule(name: string): Promise<WebAssembly.Module> {
  const file = join(import.meta.dirname, "functions", `${name}.as.ts`);
  return WebAssembly.compile((await compileFunction({ file })).wasm);
}

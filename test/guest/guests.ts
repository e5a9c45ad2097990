// Guests of the tests of the SDK and the examples, as modules.

import { join } from "node:path";
import { exampleFile } from "../../scripts/examples.ts";
import { compiled } from "../support/compiled.ts";

/** Compiles one of guest/examples. */
export async function exampleModule(name: string): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await compiled(exampleFile(name)));
}

/** Compiles one of test/guest/functions. */
export async function testModule(name: string): Promise<WebAssembly.Module> {
  const file = join(import.meta.dirname, "functions", `${name}.as.ts`);
  return WebAssembly.compile(await compiled(file));
}

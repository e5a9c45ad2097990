// The examples of guest/examples: their names, what the example.json of each says, their modules. Folders without
// one hold programs in other languages (toolchains.ts), which take more than npm to build.
// Used by `npm start` and by the tests of the examples.

import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { builtFunction } from "./build-cache.ts";

/** An example.json. */
export type Example = {
  readonly description: string;
  readonly request: {
    readonly path: string;
    readonly method?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
  };
  readonly expect: { readonly status: number; readonly contentType: string };
  /** What else starts it, by the trigger's name (docs/events.md). */
  readonly triggers?: Readonly<Record<string, object>>;
};

const folder = join(import.meta.dirname, "../guest/examples");

export async function exampleNames(): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && existsSync(join(folder, entry.name, "example.json")))
    .map(({ name }) => name)
    .sort();
}

export async function readExample(name: string): Promise<Example> {
  return JSON.parse(await readFile(join(folder, name, "example.json"), "utf8")) as Example;
}

export function exampleFile(name: string): string {
  return join(folder, name, "index.ts");
}

export function compileExample(name: string): Promise<Uint8Array<ArrayBuffer>> {
  return builtFunction(exampleFile(name));
}

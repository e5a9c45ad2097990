// A component of a core module that a C compiler made, for whoever has npm and no wasm-tools:
//
//   npx node scripts/component-of.ts hello.core.wasm guest/wit/http.wit hello.wasm
//
// It takes @bytecodealliance/jco from where `mayfly build --target js` keeps it, or from this folder's own
// node_modules. What the C library asks of WASI preview 1 goes through the adapter that comes with it.

import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

type Tools = {
  componentEmbed(options: { readonly binary: Uint8Array; readonly witSource: string }): Promise<Uint8Array>;
  componentNew(
    binary: Uint8Array,
    adapters: readonly (readonly [string, Uint8Array])[],
  ): Promise<Uint8Array<ArrayBuffer>>;
};

const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "mayfly");
const folders = [join(cache, "componentize-js-0.23.0"), join(import.meta.dirname, "..")].map((folder) =>
  join(folder, "node_modules/@bytecodealliance/jco"),
);

/** The folder of the package; null when it is not there. */
export const jcoFolder: string | null = folders.find((folder) => existsSync(folder)) ?? null;

/** `wit` is the text of the world that the module was written for. */
export async function componentOf(core: Uint8Array, wit: string): Promise<Uint8Array<ArrayBuffer>> {
  if (jcoFolder === null) throw new Error("there is no @bytecodealliance/jco");
  const tools = (await import(pathToFileURL(join(jcoFolder, "dist/api.js")).href)) as Tools;
  const adapter = await readFile(join(jcoFolder, "lib/wasi_snapshot_preview1.reactor.wasm"));
  const embedded = await tools.componentEmbed({ binary: core, witSource: wit });
  return tools.componentNew(embedded, [["wasi_snapshot_preview1", adapter]]);
}

if (import.meta.main) {
  const [core = "", wit = "", output = ""] = process.argv.slice(2);
  await writeFile(output, await componentOf(await readFile(core), await readFile(wit, "utf8")));
}

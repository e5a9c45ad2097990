// A process of its own that makes a component from a JavaScript or TypeScript file, with a package that the
// host does not depend on: node componentize.ts PACKAGE_FOLDER SOURCE OUTPUT, and --reuse for one whose instance
// takes call after call. Started by the command `mayfly build --target js` (cli/js-component.ts). What it says
// on stderr is the user's to read.

import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

/** What the component is to export; the engine within brings the rest of its world along. */
const world = `package local:app;
world app { export wasi:http/incoming-handler@0.2.10; }
package wasi:http@0.2.10 {
  interface types { resource incoming-request; resource response-outparam; }
  interface incoming-handler {
    use types.{incoming-request, response-outparam};
    handle: func(request: incoming-request, response-out: response-outparam);
  }
}`;

const guestFolder = join(import.meta.dirname, "../../guest");

type Options = {
  readonly sourcePath: string;
  readonly witWorld: string;
  readonly enableFeatures: readonly string[];
};
type Componentize = (options: Options) => Promise<{ component: Uint8Array }>;

const [folder = "", source = "", output = "", mode] = process.argv.slice(2);

try {
  const { exports } = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as {
    exports: { import: string };
  };
  const { componentize } = (await import(pathToFileURL(join(folder, exports.import)).href)) as {
    componentize: Componentize;
  };
  const script = await scriptOf(source);
  const build = mode === "--reuse" ? buildReusable : buildSingle;
  await writeFile(output, await build(componentize, script));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

/** JavaScript as the file it is, so that its imports are found; TypeScript without its types, beside the output. */
async function scriptOf(file: string): Promise<string> {
  if (!file.endsWith(".ts")) return file;
  const script = `${output}.js`;
  await writeFile(script, stripTypeScriptTypes(await readFile(file, "utf8")));
  return script;
}

/** By the fetch event of the engine, which takes one response in the life of an instance. */
async function buildSingle(componentize: Componentize, sourcePath: string): Promise<Uint8Array> {
  const enableFeatures = ["http", "fetch-event"];
  return (await componentize({ sourcePath, witWorld: world, enableFeatures })).component;
}

/** By fetch events of our own. They have to lie below the folder that the script may import from. */
async function buildReusable(componentize: Componentize, script: string): Promise<Uint8Array> {
  const root = dirname(script);
  const beside = await mkdtemp(join(root, ".mayfly-"));
  try {
    await copyFile(join(guestFolder, "js/fetch-events.js"), join(beside, "fetch-events.js"));
    const sourcePath = join(beside, "entry.js");
    // The events come first: the script adds its listeners while it runs.
    const names = ["./fetch-events.js", `../${basename(script)}`].map((name) => JSON.stringify(name));
    await writeFile(sourcePath, `export { incomingHandler } from ${names[0]};\nimport ${names[1]};\n`);
    const witWorld = await readFile(join(guestFolder, "wit/http.wit"), "utf8");
    // The package lets scripts import what lies below the folder that it runs in.
    process.chdir(root);
    return (await componentize({ sourcePath, witWorld, enableFeatures: ["http"] })).component;
  } finally {
    await rm(beside, { recursive: true, force: true });
  }
}

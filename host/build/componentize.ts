// A process of its own that makes a component from a JavaScript or TypeScript file, with a package that the
// host does not depend on: node componentize.ts PACKAGE_FOLDER SOURCE OUTPUT. Started by the command
// `mayfly build --target js` (cli/js-component.ts). What it says on stderr is the user's to read.

import { readFile, writeFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
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

type Componentize = (options: Readonly<Record<string, unknown>>) => Promise<{ component: Uint8Array }>;

const [folder = "", source = "", output = ""] = process.argv.slice(2);

try {
  const { exports } = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as {
    exports: { import: string };
  };
  const { componentize } = (await import(pathToFileURL(join(folder, exports.import)).href)) as {
    componentize: Componentize;
  };
  const { component } = await componentize({
    sourcePath: await scriptOf(source),
    witWorld: world,
    enableFeatures: ["http", "fetch-event"],
  });
  await writeFile(output, component);
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

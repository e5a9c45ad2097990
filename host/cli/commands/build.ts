// `mayfly build FILE`: compiles to a .wasm file, written whole or not at all. No host is needed. A .ts file is
// AssemblyScript unless it is said to be TypeScript for a JavaScript engine, which comes along in a component.

import { rename, rm, writeFile } from "node:fs/promises";
import { extname, resolve } from "node:path";
import { type CommandSpec, requiredArgument, textOption } from "../command.ts";
import { WrongUsage } from "../failure.ts";
import { compileFile, fileFailure } from "../function-source.ts";
import { buildJsComponent } from "../js-component.ts";
import { formatBytes } from "../output.ts";

export const buildCommand: CommandSpec = {
  name: "build",
  args: "<file>",
  summary: "compile a function to WebAssembly",
  examples: [
    "mayfly build hello.ts",
    "mayfly build hello.ts -o out/hello.wasm",
    "mayfly build app.js --target js",
    "mayfly build app.js --reuse",
  ],
  options: [
    { flags: "-o, --output <file>", meaning: "where to write it (default: beside the source)" },
    {
      flags: "--target <target>",
      meaning: "assemblyscript, or js: a component with a JavaScript engine (default: by the file's name)",
    },
    {
      flags: "--reuse",
      meaning: "of JavaScript: for isolation=reuse, an instance that takes call after call",
    },
  ],
  usesHost: false,
  async run(args, context) {
    const file = requiredArgument(args, 0);
    const extension = extname(file);
    const target = targetOf(file, textOption(context.options, "target"));
    const shown = textOption(context.options, "output") ?? `${file.slice(0, -extension.length)}.wasm`;
    const reusable = context.options["reuse"] === true;
    if (reusable && target !== "js") throw new WrongUsage("--reuse is for --target js: leave it away");
    const wasm =
      target === "js"
        ? await buildJsComponent(file, { reusable }, context)
        : (await compileFile(file, context)).wasm;
    await writeWhole(resolve(context.io.cwd, shown), shown, wasm);
    context.output.value({ file: shown, bytes: wasm.byteLength });
    context.output.line(`Built ${shown} (${formatBytes(wasm.byteLength)})`);
    return 0;
  },
};

type Target = "assemblyscript" | "js";

function targetOf(file: string, wanted: string | undefined): Target {
  const extension = extname(file).toLowerCase();
  const target = wanted ?? (extension === ".js" || extension === ".mjs" ? "js" : "assemblyscript");
  if (target !== "js" && target !== "assemblyscript") {
    throw new WrongUsage(`Cannot build for ${JSON.stringify(target)}, want assemblyscript or js`);
  }
  const extensions = target === "js" ? [".js", ".mjs", ".ts"] : [".ts"];
  if (extensions.includes(extension)) return target;
  const wantedFile =
    target === "js" ? "a .js, .mjs or .ts file" : "a .ts file, or a .js file for --target js";
  throw new WrongUsage(`Cannot build ${JSON.stringify(file)}, want ${wantedFile}`);
}

async function writeWhole(path: string, shown: string, bytes: Uint8Array): Promise<void> {
  const partial = `${path}.${process.pid}.partial`;
  try {
    await writeFile(partial, bytes);
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw fileFailure("write", shown, error);
  }
}

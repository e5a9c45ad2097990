// `mayfly build FILE.ts`: compiles to a .wasm file, written whole or not at all. No host is needed.

import { rename, rm, writeFile } from "node:fs/promises";
import { extname, resolve } from "node:path";
import { type CommandSpec, requiredArgument, textOption } from "../command.ts";
import { WrongUsage } from "../failure.ts";
import { compileFile, fileFailure } from "../function-source.ts";
import { formatBytes } from "../output.ts";

export const buildCommand: CommandSpec = {
  name: "build",
  args: "<file>",
  summary: "compile a function to WebAssembly",
  examples: ["mayfly build hello.ts", "mayfly build hello.ts -o out/hello.wasm"],
  options: [{ flags: "-o, --output <file>", meaning: "where to write it (default: beside the source)" }],
  usesHost: false,
  async run(args, context) {
    const file = requiredArgument(args, 0);
    const extension = extname(file);
    if (extension.toLowerCase() !== ".ts") {
      throw new WrongUsage(`Cannot build ${JSON.stringify(file)}, want a .ts file`);
    }
    const shown = textOption(context.options, "output") ?? `${file.slice(0, -extension.length)}.wasm`;
    const { wasm } = await compileFile(file, context);
    await writeWhole(resolve(context.io.cwd, shown), shown, wasm);
    context.output.value({ file: shown, bytes: wasm.byteLength });
    context.output.line(`Built ${shown} (${formatBytes(wasm.byteLength)})`);
    return 0;
  },
};

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

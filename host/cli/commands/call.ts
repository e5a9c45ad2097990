// `mayfly call FILE EXPORT [ARG …]`: calls one export of one's own module in this process, without
// a host and without its limits. The result goes to stdout, what the module logs to stderr.

import { extname, resolve } from "node:path";
import type { ExportCall } from "../../build/call-export.ts";
import { WrongArguments } from "../../build/user-error.ts";
import { type CommandContext, type CommandSpec, requiredArgument } from "../command.ts";
import { WrongUsage } from "../failure.ts";
import { compileWith, readBytes } from "../function-source.ts";

export const callCommand: CommandSpec = {
  name: "call",
  args: "<file> <export> [args...]",
  summary: "call one export of your own module, without a host",
  examples: [
    "mayfly call math.ts add 1 2",
    'mayfly call words.ts join \'["a", "b"]\'',
    "mayfly call math.wasm add -- -1 2",
  ],
  notes:
    "Numbers, bools and strings are written as they are, lists as JSON. After -- everything is an argument.",
  options: [],
  usesHost: false,
  async run(args, context) {
    const name = requiredArgument(args, 1);
    const { output } = context;
    const module = await readCallable(requiredArgument(args, 0), context);
    const log = (line: string): void => output.note(line);
    const call = { ...module, name, args: args.slice(2), log };
    const result = await context.modules.callExport(call).catch((error: unknown) => {
      throw error instanceof WrongArguments ? new WrongUsage(error.message) : error;
    });
    output.value({ result });
    if (result !== "") output.line(result);
    return 0;
  },
};

async function readCallable(
  file: string,
  context: CommandContext,
): Promise<Pick<ExportCall, "wasm" | "types">> {
  const extension = extname(file).toLowerCase();
  if (extension === ".ts") {
    const { wasm, types } = await compileWith(context.modules.compileModule, file, context);
    return { wasm, types };
  }
  if (extension === ".wasm") return { wasm: await readBytes(resolve(context.io.cwd, file), file) };
  throw new WrongUsage(`Cannot use ${JSON.stringify(file)}, want a .ts or a .wasm file`);
}

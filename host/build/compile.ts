// Builds a user's TypeScript into wasm: `compileFunction` for the host, `compileModule` for
// `mayfly call`. Nothing is written to disk; the same sources give the same bytes on any machine
// and from any folder, because every path in the module is relative to the file's own folder.

import { existsSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { BuildError, buildFault, formatDiagnostics } from "./build-error.ts";
import type { CompileAnswer, CompileRequest } from "./compile-request.ts";
import { compile } from "./compiler.ts";
import type { ModuleTypes } from "./module-types.ts";

export type CompileOptions = {
  /** The user's file; relative to `cwd`. */
  readonly file: string;
  /** False builds faster and larger, with function names for stacks. Default true. */
  readonly optimize?: boolean;
  /** Where `file` and the paths in diagnostics start. Default the process's own. */
  readonly cwd?: string;
};

export type CompiledFunction = {
  readonly wasm: Uint8Array<ArrayBuffer>;
  /** The compiler's warnings, formatted; "" when there are none. */
  readonly warnings: string;
};

export type CompiledModule = CompiledFunction & { readonly types: ModuleTypes };

/** Builds a file that exports `handle(req: Request): Response`. Throws BuildError. */
export async function compileFunction(options: CompileOptions): Promise<CompiledFunction> {
  return finish(await compile(request("function", options)));
}

/** Builds a file as it is, with the runtime exported, for callExport. Throws BuildError. */
export async function compileModule(options: CompileOptions): Promise<CompiledModule> {
  const { types, ...answer } = await compile(request("module", options));
  return { ...finish(answer), types: types ?? { functions: {}, classIds: {} } };
}

function request(kind: CompileRequest["kind"], options: CompileOptions): CompileRequest {
  const workingDirectory = options.cwd ?? process.cwd();
  const file = resolve(workingDirectory, options.file);
  const shown = relative(workingDirectory, file).replaceAll("\\", "/");
  if (!file.endsWith(".ts") || file.endsWith(".d.ts"))
    throw buildFault(`cannot build "${shown}", want a .ts file`);
  if (!existsSync(file)) throw buildFault(`cannot build "${shown}": there is no such file`);
  if (!statSync(file).isFile()) throw buildFault(`cannot build "${shown}": it is no file`);
  const compilerOptions = kind === "module" ? ["--exportRuntime"] : [];
  if (options.optimize === false)
    compilerOptions.push("--optimizeLevel", "0", "--shrinkLevel", "0", "--debug");
  return { kind, file, workingDirectory, config: nearestConfig(dirname(file)), options: compilerOptions };
}

/** The asconfig.json of the file's folder or the nearest one above it; "" when there is none. */
function nearestConfig(directory: string): string {
  const path = join(directory, "asconfig.json");
  if (existsSync(path)) return path;
  const parent = dirname(directory);
  return parent === directory ? "" : nearestConfig(parent);
}

function finish(answer: CompileAnswer): CompiledFunction {
  if (answer.wasm === undefined) throw new BuildError(answer.diagnostics);
  return { wasm: answer.wasm, warnings: formatDiagnostics(answer.diagnostics) };
}

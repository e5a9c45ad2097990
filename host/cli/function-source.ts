// Turns the FILE of `build`, `deploy`, `dev` and `call` into wasm bytes: TypeScript is compiled in
// this process, a .wasm file is taken as it is. It uploads nothing and writes nothing.

import { readFile, stat } from "node:fs/promises";
import { extname, resolve } from "node:path";
import type { CompiledFunction, CompileOptions } from "../build/compile.ts";
import type { CommandContext } from "./command.ts";
import { CommandFailure, systemCodeOf, WrongUsage } from "./failure.ts";

/** Sources that a compiler of their own makes a .wasm file of. */
const compiledLanguages = new Set([".c", ".cc", ".cpp", ".cxx", ".go", ".rs", ".zig"]);

/** Wasm bytes of a `.ts` or `.wasm` file; the compiler's warnings go to stderr. */
export async function readModule(file: string, context: CommandContext): Promise<Uint8Array<ArrayBuffer>> {
  const extension = extname(file).toLowerCase();
  if (extension === ".ts") return (await compileFile(file, context)).wasm;
  if (extension === ".wasm") return readBytes(resolve(context.io.cwd, file), file);
  const remedy = compiledLanguages.has(extension) ? ": compile it first, as docs/languages.md shows" : "";
  throw new WrongUsage(`Cannot use ${JSON.stringify(file)}, want a .ts or a .wasm file${remedy}`);
}

/** Compiles a function; throws CommandFailure `build_failed` with the compiler's own text. */
export function compileFile(
  file: string,
  context: CommandContext,
  optimize = true,
): Promise<CompiledFunction> {
  return compileWith(context.modules.compileFunction, file, context, optimize);
}

/** The same with another entry of host/build. Warnings go to stderr. */
export async function compileWith<T extends CompiledFunction>(
  compile: (options: CompileOptions) => Promise<T>,
  file: string,
  context: CommandContext,
  optimize = true,
): Promise<T> {
  const { cwd } = context.io;
  await requireFile(resolve(cwd, file), file);
  context.output.progress(`Building ${file} ...`);
  try {
    const compiled = await compile({ file, cwd, optimize });
    if (compiled.warnings.trim() !== "") context.output.note(compiled.warnings.trimEnd());
    return compiled;
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "BuildError") throw error;
    throw new CommandFailure("build_failed", error.message, { cause: error });
  } finally {
    context.output.progress("");
  }
}

/** Bytes of a file that the user named. */
export async function readBytes(path: string, shown: string): Promise<Uint8Array<ArrayBuffer>> {
  await requireFile(path, shown);
  try {
    return await readFile(path);
  } catch (error) {
    throw fileFailure("read", shown, error);
  }
}

export function fileFailure(verb: "read" | "write", shown: string, error: unknown): CommandFailure {
  const reasons = new Map([
    ["ENOENT", "there is no such file or folder"],
    ["EACCES", "access is denied"],
    ["EISDIR", "it is a folder"],
    ["ENOSPC", "the disk is full"],
  ]);
  const code = systemCodeOf(error);
  const reason = reasons.get(code ?? "") ?? (error instanceof Error ? error.message : String(error));
  const message = `Cannot ${verb} ${JSON.stringify(shown)}: ${reason}`;
  return new CommandFailure("file_failed", message, { cause: error });
}

/** Throws CommandFailure when the user named what is no file. */
export async function requireFile(path: string, shown: string): Promise<void> {
  try {
    if (!(await stat(path)).isDirectory()) return;
  } catch (error) {
    throw fileFailure("read", shown, error);
  }
  throw new CommandFailure(
    "file_failed",
    `Cannot read ${JSON.stringify(shown)}: it is a folder, want a file`,
  );
}

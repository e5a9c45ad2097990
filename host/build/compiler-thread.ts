// The thread that holds the AssemblyScript compiler: loading it takes longer than a build, so one
// thread is kept warm, and a crash of the compiler, which ends its process, ends only this thread.
// It takes a CompileRequest at a time from compiler.ts and posts a CompileAnswer back.

import { basename, dirname } from "node:path";
import { parentPort } from "node:worker_threads";
import asc, { type Transform } from "assemblyscript/asc";
import type { CompileAnswer, CompileRequest } from "./compile-request.ts";
import {
  describeDiagnostic,
  errorCategory,
  type ReportedDiagnostic,
  warningCategory,
} from "./describe-diagnostic.ts";
import { entryName, functionEntry, HandleEntry, HandleMissing } from "./function-entry.ts";
import { type ModuleTypes, ModuleTypesReader } from "./module-types.ts";
import { defaultConfigPath, SourceFiles } from "./source-files.ts";

parentPort?.on("message", async (request: CompileRequest) => {
  parentPort?.postMessage(await compile(request));
});

async function compile(request: CompileRequest): Promise<CompileAnswer> {
  const baseDir = dirname(request.file);
  const userSource = basename(request.file);
  const generated = new Map<string, string>();
  const entry = request.kind === "function" ? new HandleEntry(userSource) : undefined;
  if (entry !== undefined) generated.set(entryName, functionEntry(userSource));
  const files = new SourceFiles(baseDir, generated);
  const reported: ReportedDiagnostic[] = [];
  let wasm: Uint8Array<ArrayBuffer> | undefined;
  let types: ModuleTypes | undefined;
  const typesReader = new ModuleTypesReader(userSource, (read) => {
    types = read;
  });
  const config = request.config === "" ? defaultConfigPath : request.config;
  const argv = [
    entry === undefined ? userSource : entryName,
    ...["--baseDir", baseDir, "--config", config, "--outFile", "module.wasm", "--noColors"],
    ...request.options,
  ];
  const result = await runCompiler(argv, {
    readFile: (name, directory) => files.read(name, directory),
    writeFile: (name, contents) => {
      if (name === "module.wasm" && typeof contents !== "string") wasm = new Uint8Array(contents);
    },
    listFiles: () => [],
    reportDiagnostic: (diagnostic) => reported.push(diagnostic as ReportedDiagnostic),
    transforms: [(entry ?? typesReader).transform() as Transform],
  });
  const place = { files, baseDir, workingDirectory: request.workingDirectory };
  if (result.error instanceof HandleMissing) {
    return { diagnostics: [describeDiagnostic(result.error.diagnostic, place)] };
  }
  const faults = reported
    .filter((diagnostic) => diagnostic.category >= warningCategory)
    .map((diagnostic) => entry?.explain(diagnostic) ?? diagnostic);
  const diagnostics = faults.map((diagnostic) => describeDiagnostic(diagnostic, place));
  if (result.error === null && wasm !== undefined) {
    return types === undefined ? { wasm, diagnostics } : { wasm, types, diagnostics };
  }
  if (diagnostics.some((diagnostic) => diagnostic.severity === "error")) return { diagnostics };
  const found = result.error?.message ?? "the compiler wrote no module";
  const message = found.replaceAll(`${request.workingDirectory}/`, "");
  return {
    diagnostics: [describeDiagnostic({ code: 0, category: errorCategory, message, range: null }, place)],
  };
}

type Asc = typeof asc.main;

/** As asc.main, which throws for some faults and answers with others. */
async function runCompiler(argv: string[], options: Parameters<Asc>[1]): Promise<{ error: Error | null }> {
  try {
    return await asc.main(argv, options);
  } catch (error) {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }
}

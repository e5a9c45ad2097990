// After a change of Node or of the rewriter, a stored module may be valid no more. A pass in the
// background, after readiness, loads every live module once and names those that are broken; a call
// of one of them fails alone. Nothing is done while the engine is the one of the last pass.

import { readFile, writeFile } from "node:fs/promises";
import type { FunctionVersion, ModuleForm } from "../function.ts";

export type EngineCheckParts = {
  /** File that keeps the engine of the last pass. */
  readonly file: string;
  /** Names the engine and the rewriter: another text means that everything is checked again. */
  readonly engine: string;
  readonly versions: () => readonly FunctionVersion[];
  /** Reads, rewrites and compiles; rejects when the module is valid no more. */
  readonly load: (form: ModuleForm) => Promise<unknown>;
  /** Aborted when the host ends; the next start begins anew. */
  readonly signal: AbortSignal;
  readonly onBroken: (version: FunctionVersion, error: unknown) => void;
};

/** Checks the live modules, one after the other; resolves with how many were looked at. */
export async function checkEngine(parts: EngineCheckParts): Promise<number> {
  if ((await lastEngine(parts.file)) === parts.engine) return 0;
  const versions = parts.versions();
  for (const version of versions) {
    if (parts.signal.aborted) return versions.indexOf(version);
    try {
      await parts.load(version);
    } catch (error) {
      parts.onBroken(version, error);
    }
  }
  await writeFile(parts.file, parts.engine);
  return versions.length;
}

async function lastEngine(file: string): Promise<string | null> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

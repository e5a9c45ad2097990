// `mayfly init DIR`: writes a project that an editor understands without installing anything. The
// SDK's sources and AssemblyScript's types are copied into it, so that completion and documentation
// work with plain TypeScript and no path leads out of the project.

import { cp, readdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { makeFolder } from "../make-folder.ts";
import { sdkDirectory } from "./source-files.ts";
import { UserError } from "./user-error.ts";

const templateDirectory = join(import.meta.dirname, "../../guest/template");
const sdkCopy = ".mayfly-sdk";

/** Writes the project and lists its files, relative to `dir`. Throws UserError when `dir` is in use. */
export async function initProject(dir: string): Promise<{ readonly files: readonly string[] }> {
  await makeEmptyDirectory(dir);
  for (const name of await readdir(templateDirectory)) {
    // npm leaves files named .gitignore out of packages, so the template's has no dot.
    await cp(join(templateDirectory, name), join(dir, name === "gitignore" ? ".gitignore" : name));
  }
  await cp(sdkDirectory, join(dir, sdkCopy, "mayfly"), { recursive: true });
  await writeFile(join(dir, sdkCopy, "assemblyscript.d.ts"), await assemblyScriptTypes());
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(dir, "/").length).replaceAll("\\", "/"))
    .filter((file) => !file.startsWith(".git/"));
  return { files: files.sort() };
}

/** A new directory, or an empty one; a fresh `git init` counts as empty. */
async function makeEmptyDirectory(dir: string): Promise<void> {
  try {
    makeFolder(dir);
    const taken = (await readdir(dir)).filter((name) => name !== ".git");
    if (taken.length === 0) return;
    const shown = taken.slice(0, 3).join(", ") + (taken.length > 3 ? ", …" : "");
    throw new UserError(
      `Cannot start a project in "${dir}": it holds ${shown}; choose a new or empty directory`,
    );
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== "EEXIST" && code !== "ENOTDIR") throw error;
    throw new UserError(`Cannot start a project in "${dir}": it is a file; choose a new or empty directory`);
  }
}

/**
 * AssemblyScript's declarations, with its alias `Number` made an interface: TypeScript looks the
 * members of numbers up in an interface of that name and takes no alias, so `n.toString()` would
 * be an error.
 */
async function assemblyScriptTypes(): Promise<string> {
  const path = createRequire(import.meta.url).resolve("assemblyscript/std/assembly/index.d.ts");
  const types = await readFile(path, "utf8");
  return types.replace("declare type Number = _Float;", "interface Number extends _Float {}");
}

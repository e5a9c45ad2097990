// What `npm pack` runs first: host/ as JavaScript in dist/, because Node strips no types inside node_modules.
// It is Node's own stripping, which is what runs in a clone, so that lines and columns stay what they are;
// import paths are made to end in .js. All else, SQL among it, is carried as it is.

import { cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { dirname, join } from "node:path";

const root = join(import.meta.dirname, "..");
const source = join(root, "host");
const target = join(root, "dist");

/** Where a path is one of a file of ours: what is imported, and what is started as a thread or a process. */
const ownPath = /(\b(?:from |import |import\()|\bimport\.meta\.resolve\()"(\.[^"]*)\.ts"/g;

rmSync(target, { recursive: true, force: true });
const files = globSync("**/*", { cwd: source, withFileTypes: true }).filter((entry) => entry.isFile());
for (const entry of files) {
  const from = join(entry.parentPath, entry.name);
  const to = join(target, from.slice(source.length));
  mkdirSync(dirname(to), { recursive: true });
  if (from.endsWith(".ts")) writeFileSync(to.replace(/\.ts$/, ".js"), compiled(from));
  else cpSync(from, to);
}
process.stderr.write(`Compiled ${files.length} files into dist/\n`);

/** Throws when a path in it leads nowhere: the package would be broken, and only where that path is taken. */
function compiled(file: string): string {
  const text = stripTypeScriptTypes(readFileSync(file, "utf8"));
  const missing: string[] = [];
  const script = text.replace(ownPath, (_whole, before: string, path: string) => {
    if (!existsSync(join(dirname(file), `${path}.ts`))) missing.push(`${path}.ts`);
    return `${before}"${path}.js"`;
  });
  const left = /["'`]\.{1,2}\/[^"'`]*\.ts["'`]/.exec(script);
  if (left !== null) missing.push(left[0]);
  if (missing.length > 0) throw new Error(`Cannot compile ${file}: unknown paths ${missing.join(", ")}`);
  return script;
}

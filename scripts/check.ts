// `npm run check`: format and lint (Biome), types (tsc), and the rules of the house that a program
// can keep (test/tidy.test.ts). Runs all three, fails when one does.

import { spawnSync } from "node:child_process";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const packageFile = (path: string): string => join(root, "node_modules", path);

const steps: readonly (readonly [string, readonly string[]])[] = [
  ["biome", [packageFile("@biomejs/biome/bin/biome"), "ci", "--error-on-warnings", "."]],
  ["tsc", [packageFile("typescript/bin/tsc"), "--noEmit", "-p", "tsconfig.json"]],
  ["tidy", ["--test", "test/tidy.test.ts"]],
];

let failed = false;
for (const [name, step] of steps) {
  const { status } = spawnSync(process.execPath, step, { cwd: root, stdio: "inherit" });
  if (status === 0) continue;
  failed = true;
  process.stderr.write(`${name} found something to mend\n`);
}
process.exit(failed ? 1 : 0);

// `npm run bench [NAME …]`: runs the benchmarks of bench/, one after the other, or the named ones.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

const benchmarks = [
  "throughput",
  "cold-start",
  "waiting",
  "neighbours",
  "isolation",
  "scale",
  "density",
  "endurance",
  "restart",
  "switching",
  "kernels",
  "languages",
  "components",
  "costs",
  "simulate",
  "trace",
  "events",
  "blobs",
  "streaming",
  "observing",
];
const folder = join(import.meta.dirname, "..", "bench");
const chosen = process.argv.slice(2).filter((word) => !word.startsWith("-"));
const options = process.argv.slice(2).filter((word) => word.startsWith("-"));

for (const name of chosen.length > 0 ? chosen : benchmarks) {
  const file = join(folder, `${name}.ts`);
  if (!benchmarks.includes(name) || !existsSync(file)) {
    process.stderr.write(`Unknown benchmark "${name}", want one of ${benchmarks.join(", ")}\n`);
    process.exit(2);
  }
  const { status } = spawnSync(process.execPath, [file, ...options], { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

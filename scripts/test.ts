// `npm test` and `npm run soak`: Node's test runner over test/, with the V8 flags of the host, since
// hosts run in process there. Names given as arguments run those files alone.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { globSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { testFlags } from "../host/engine-flags.ts";
import { compileAll, guestsVariable } from "../test/support/compiled.ts";
import { exampleFile, exampleNames } from "./examples.ts";

const { values, positionals } = parseArgs({
  options: { soak: { type: "boolean", default: false } },
  allowPositionals: true,
});
const root = join(import.meta.dirname, "..");
const files = positionals.length > 0 ? positionals : globSync("test/**/*.test.ts", { cwd: root }).sort();

// A file by itself compiles what it needs.
const guests = positionals.length > 0 ? null : await mkdtemp(join(tmpdir(), "mayfly-guests-"));
const runner = spawn(
  process.execPath,
  [
    ...testFlags,
    "--disable-warning=ExperimentalWarning",
    "--test",
    // Many a test waits for something: one file more than there are processors keeps those busy.
    `--test-concurrency=${availableParallelism() + 1}`,
    `--test-timeout=${values.soak ? 3_600_000 : 120_000}`,
    ...files,
  ],
  {
    cwd: root,
    stdio: "inherit",
    env: {
      ...process.env,
      // Every file is a process; a dozen of them load the compiler.
      NODE_COMPILE_CACHE: join(root, "node_modules", ".cache", "node"),
      ...(values.soak ? { MAYFLY_TEST_SOAK: "1" } : {}),
      ...(guests === null ? {} : { [guestsVariable]: guests }),
    },
  },
);
const ended = once(runner, "exit") as Promise<[number | null]>;
if (guests !== null) {
  const functions = globSync("test/guest/functions/*.as.ts", { cwd: root }).map((file) => join(root, file));
  const examples = (await exampleNames()).map(exampleFile);
  await compileAll([...examples, ...functions], guests);
}
const [status] = await ended;
if (guests !== null) await rm(guests, { recursive: true, force: true });
process.exit(status ?? 1);

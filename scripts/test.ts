// `npm test` and `npm run soak`: Node's test runner over test/, with the V8 flags of the host, since
// hosts run in process there. Names given as arguments run those files alone.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { globSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { testFlags } from "../host/engine-flags.ts";
import { compileAll, guestsVariable } from "../test/support/compiled.ts";
import { exampleFile, exampleNames } from "./examples.ts";

const { values, positionals } = parseArgs({
  options: { soak: { type: "boolean", default: false } },
  allowPositionals: true,
});
const root = join(import.meta.dirname, "..");
const filesPerProcess = 8;
/** Not among them: what attacks the process it runs in, ends it, or looks at its memory. */
const sharing =
  /^test\/(build|cli(\/bench)?|contract|deploy|events|files|guest|http|invoke|observe|outbound|packaging|postgres|store|wasm(\/meter)?|worker)\/[^/]+$/;
const files = positionals.length > 0 ? positionals : globSync("test/**/*.test.ts", { cwd: root }).sort();

// A file by itself compiles what it needs.
const folder = positionals.length > 0 ? null : await mkdtemp(join(tmpdir(), "mayfly-guests-"));
const guests = folder === null ? null : join(folder, "guests");
const runner = spawn(
  process.execPath,
  [
    ...testFlags,
    "--disable-warning=ExperimentalWarning",
    "--test",
    // Many a test waits for something: one file more than there are processors keeps those busy.
    `--test-concurrency=${availableParallelism() + 1}`,
    `--test-timeout=${values.soak ? 3_600_000 : 120_000}`,
    ...(folder === null ? files : await processes(files, folder)),
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
if (folder !== null) await rm(folder, { recursive: true, force: true });
process.exit(status ?? 1);

/**
 * What each process runs: a file that is hard on its process by itself, of the others several. A process takes
 * longer to load the host or the compiler than most files take for their tests.
 */
async function processes(all: readonly string[], target: string): Promise<string[]> {
  const alone = all.filter((file) => !sharing.test(file.replaceAll("\\", "/")));
  const together = all.filter((file) => !alone.includes(file));
  const groups: string[] = [];
  await mkdir(join(target, "groups"));
  for (let from = 0; from < together.length; from += filesPerProcess) {
    const group = join(target, "groups", `from-${from}.mjs`);
    const urls = together.slice(from, from + filesPerProcess).map((file) => {
      return pathToFileURL(join(root, file)).href;
    });
    // The first test waits for all files: what one does after its tests takes place when no test is left, and
    // another file might be about to have its first.
    const source = `import { test } from "node:test";
const loaded = Promise.all(${JSON.stringify(urls)}.map((url) => import(url)));
test("files of a group are loaded", () => loaded);
`;
    await writeFile(group, source);
    groups.push(group);
  }
  return [...alone, ...groups];
}

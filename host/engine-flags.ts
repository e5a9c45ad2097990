// The V8 and Node flags of the processes that touch guests. V8's can only come from the command line
// (docs/threat-model.md H18); the host asserts at start that they are in force.

import { strict as assert } from "node:assert";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** Elements of one table at most: V8 aborts the process on huge ones (docs/threat-model.md H4). */
export const tableElementsMax = 100_000;

/**
 * The stack a guest has, KiB. What it has touched of it stays with a call that waits, and there may be
 * thousands of those (bench/waiting.ts): recursion goes some 1,500 calls deep.
 */
const guestStackKib = 128;

/** V8 flags of all processes that touch guests. */
export const engineFlags: readonly string[] = [
  `--wasm-max-table-size=${tableElementsMax}`,
  `--wasm-stack-switching-stack-size=${guestStackKib}`,
];

/**
 * How much of a function runs, in bytes of its code, before V8 optimises it. A small budget has V8 compile
 * most of a module anew during its first calls, beside them and on their cores: the first call of `hello` then
 * takes twice as long (bench/cold-start.ts). Liftoff's code looks for interrupts when the budget runs out and
 * else not in a loop of bulk operations (docs/threat-model.md H2). Metered guests ask the host whatever
 * they do, so that a host which runs no others can afford a budget of some hundred calls.
 */
const tieringFlags = { metered: "--wasm-tiering-budget=1000000", unmetered: "--wasm-tiering-budget=1000" };

/**
 * A call must not pay for compiling what its deploy could (docs/decisions/0009-compile-at-deploy.md).
 * Node does not stay for such a compile when nothing else is left to do: not for processes or threads
 * that run to an end.
 */
const compileFlags = ["--no-wasm-lazy-compilation"];

/**
 * How the host process collects its garbage. Hardly anything lives longer than its call, so a larger
 * young generation is collected less often and with less left in it; on one thread, because waking others
 * for a millisecond's work costs the guests theirs (bench/throughput.ts). RSS stays flat under load
 * (test/flow/many-calls.test.ts).
 */
const heapFlags = ["--max-semi-space-size=16", "--no-parallel-scavenge"];

/** Environment of the host process. */
export function hostEnv(dataDir: string): Record<string, string> {
  return {
    // glibc gives every thread an arena of its own, which fragments with their number.
    MALLOC_ARENA_MAX: "2",
    // There may be no other place to write to.
    SQLITE_TMPDIR: dataDir,
    // Reading and compiling our own code is half of a restart.
    NODE_COMPILE_CACHE: join(dataDir, "code-cache"),
  };
}

const quiet = ["--disable-warning=SecurityWarning", "--disable-warning=ExperimentalWarning"];

/**
 * Flags of the host process: what it may touch, as far as Node's permission model reaches. Its own code and the
 * data folder, the network and threads; no other file, no process, no add-on.
 */
export function hostFlags(dataDir: string, allowUnmetered: boolean): string[] {
  return [
    ...engineFlags,
    tieringFlags[allowUnmetered ? "unmetered" : "metered"],
    ...compileFlags,
    ...heapFlags,
    ...quiet,
    "--permission",
    "--allow-net",
    "--allow-worker",
    ...readableCode(),
    `--allow-fs-read=${dataDir}`,
    `--allow-fs-write=${dataDir}`,
  ];
}

/** Flags of the inspector: it reads its own code and nothing else. */
export function inspectorFlags(): string[] {
  return [
    ...engineFlags,
    tieringFlags.metered,
    ...quiet,
    "--max-old-space-size=256",
    "--permission",
    ...readableCode(),
  ];
}

/** Those of a process that tests start hosts in (scripts/test.ts): with the other budget compilers take thrice as long. */
export const testFlags: readonly string[] = [...engineFlags, tieringFlags.metered];

/** What a test sets where it runs guests that are not metered in its own process. */
export const unmeteredFlag = tieringFlags.unmetered;

/** Throws unless the V8 flags are in force: a table over the bound must be refused. */
export function assertEngineFlags(allowUnmetered: boolean): void {
  for (const flag of [...engineFlags, ...(allowUnmetered ? [tieringFlags.unmetered] : [])]) {
    assert(process.execArgv.includes(flag), `The host must be started with ${flag}; use "mayfly serve"`);
  }
  assert.throws(
    () => new WebAssembly.Table({ element: "anyfunc", initial: tableElementsMax + 1 }),
    `The flag --wasm-max-table-size has no effect on this Node ${process.version}`,
  );
}

/** Our own code, and the folder of our dependencies, which lies beside us once we are one ourselves. */
function readableCode(): string[] {
  const own = dirname(dirname(fileURLToPath(import.meta.url)));
  const dependency = fileURLToPath(import.meta.resolve("piscina"));
  const installed = dependency.slice(0, dependency.lastIndexOf(`${sep}piscina${sep}`));
  const folders = installed.startsWith(own + sep) ? [own] : [own, installed];
  return folders.map((folder) => `--allow-fs-read=${folder}`);
}

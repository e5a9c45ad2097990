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

/** V8 flags; Liftoff asks for interrupts whenever the tiering budget runs out (docs/threat-model.md H2). */
export const engineFlags: readonly string[] = [
  `--wasm-max-table-size=${tableElementsMax}`,
  "--wasm-tiering-budget=1000",
  `--wasm-stack-switching-stack-size=${guestStackKib}`,
];

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
    // Reading and compiling our own code is half of a restart.
    NODE_COMPILE_CACHE: join(dataDir, "code-cache"),
  };
}

const quiet = ["--disable-warning=SecurityWarning", "--disable-warning=ExperimentalWarning"];

/** Flags of the host process: what it may touch, as far as Node's permission model reaches. */
export function hostFlags(dataDir: string): string[] {
  return [
    ...engineFlags,
    ...compileFlags,
    ...heapFlags,
    ...quiet,
    "--permission",
    "--allow-net",
    "--allow-worker",
    "--allow-child-process",
    ...readableCode(),
    `--allow-fs-read=${dataDir}`,
    `--allow-fs-write=${dataDir}`,
  ];
}

/** Flags of the inspector: it reads its own code and nothing else. */
export function inspectorFlags(): string[] {
  return [...engineFlags, ...quiet, "--max-old-space-size=256", "--permission", ...readableCode()];
}

/** Throws unless the V8 flags are in force: a table over the bound must be refused. */
export function assertEngineFlags(): void {
  for (const flag of engineFlags) {
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

// The compilers of other languages that build the programs of guest/examples/<language>, where the machine has
// them: each says why it cannot, and then the tests of its output say that they skip. Nothing is installed here.

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const examples = join(import.meta.dirname, "../guest/examples");

export type Toolchain = {
  /** The folder of guest/examples. */
  readonly language: string;
  /** Null when it is there, else what is missing. */
  missing(): Promise<string | null>;
  /** Compiles a file of the folder to `output`. */
  build(source: string, output: string): Promise<unknown>;
};

/** What a command prints; null when there is no such command, or it fails. */
async function output(command: string, ...args: readonly string[]): Promise<string | null> {
  try {
    return (await run(command, args)).stdout.trim();
  } catch {
    return null;
  }
}

const c: Toolchain = {
  language: "c",
  async missing() {
    if ((await output("clang", "--version")) === null) return "no clang";
    if ((await output("wasm-ld", "--version")) === null) return "no wasm-ld (lld)";
    return existsSync("/usr/include/wasm32-wasi/stdio.h") ? null : "no wasi-libc";
  },
  build: (source, target) => run("clang", ["--target=wasm32-wasi", "-O2", "-s", "-o", target, source]),
};

const go: Toolchain = {
  language: "go",
  async missing() {
    const targets = await output("go", "tool", "dist", "list");
    if (targets === null) return "no go";
    return targets.split("\n").includes("wasip1/wasm") ? null : "a go without wasip1/wasm";
  },
  build: (source, target) =>
    run("go", ["build", "-ldflags=-s -w", "-o", target, source], {
      env: { ...process.env, GOOS: "wasip1", GOARCH: "wasm", GOTOOLCHAIN: "local" },
    }),
};

const rustTargets = ["wasm32-wasip1", "wasm32-wasi"];

/** The compilers that may be there: the one of the path, and that of the system beside it. */
const rustCommands = ["rustc", "/usr/bin/rustc"];

/** A compiler and a target whose library it has. */
async function rustPair(): Promise<{ command: string; target: string } | null> {
  for (const command of rustCommands) {
    const root = await output(command, "--print", "sysroot");
    if (root === null) continue;
    const target = rustTargets.find((name) => existsSync(join(root, "lib/rustlib", name, "lib")));
    if (target !== undefined) return { command, target };
  }
  return null;
}

const rust: Toolchain = {
  language: "rust",
  async missing() {
    return (await rustPair()) === null ? `no rustc with the library of ${rustTargets.join(" or ")}` : null;
  },
  async build(source, target) {
    const found = await rustPair();
    if (found === null) throw new Error("There is no rustc for WASI");
    return run(found.command, [
      "--target",
      found.target,
      "-O",
      "-C",
      "strip=symbols",
      "-C",
      "link-arg=-zstack-size=131072",
      "-o",
      target,
      source,
    ]);
  },
};

/** The compiler of the path, and that of the Python package `ziglang`. */
const zigCommands = [["zig"], ["python3", "-m", "ziglang"]] as const;

/** The release whose standard library the examples are written for: 0.MINOR or newer. */
const zigMinorMin = 17;

/** A compiler that is new enough; else what was found. */
async function findZig(): Promise<{ command: readonly string[] | null; found: string }> {
  let found = "no zig: pip install ziglang brings one";
  for (const [program, ...words] of zigCommands) {
    const version = await output(program, ...words, "version");
    if (version === null) continue;
    const [major = 0, minor = 0] = version.split(".").map((part) => Number.parseInt(part, 10));
    if (major > 0 || minor >= zigMinorMin) return { command: [program, ...words], found: version };
    found = `zig ${version} is too old, want 0.${zigMinorMin} or newer: pip install ziglang brings one`;
  }
  return { command: null, found };
}

const zig: Toolchain = {
  language: "zig",
  async missing() {
    const { command, found } = await findZig();
    return command === null ? found : null;
  },
  async build(source, target) {
    const { command, found } = await findZig();
    const [program, ...words] = command ?? [];
    if (program === undefined) throw new Error(found);
    const flags = ["-target", "wasm32-wasi", "-O", "ReleaseSmall", "--stack", "262144"];
    // Its cache of one compilation would be made where the command runs.
    const cache = join(dirname(target), "zig-cache");
    return run(program, [
      ...words,
      "build-exe",
      source,
      ...flags,
      "--cache-dir",
      cache,
      `-femit-bin=${target}`,
    ]);
  },
};

export const toolchains = { c, go, rust, zig } as const;

/** The module of a source of guest/examples; throws with the compiler's words. */
export async function buildProgram(toolchain: Toolchain, source: string): Promise<Uint8Array<ArrayBuffer>> {
  const folder = await mkdtemp(join(tmpdir(), "mayfly-program-"));
  try {
    const target = join(folder, "program.wasm");
    await toolchain.build(join(examples, toolchain.language, source), target);
    return new Uint8Array(await readFile(target));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

// The tools that make components of guest/examples, where the machine has them; each says what is missing.
// Nothing is fetched here.

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { componentOf, jcoFolder } from "./component-of.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "..");
const examples = join(root, "guest/examples");

export type ComponentToolchain = {
  readonly language: string;
  /** What its instances are made for. */
  readonly isolation: "fresh" | "reuse";
  /** Null when all is there, else what is missing. */
  missing(): Promise<string | null>;
  /** The component of the language's example, which says hello. */
  build(): Promise<Uint8Array<ArrayBuffer>>;
};

/** Room from the start: a memory that grows in each call is made anew for each. */
const cFlags = ["--target=wasm32-wasi", "-mexec-model=reactor", "-O2", "-s", "-Wl,--initial-memory=262144"];

const rustFolder = join(examples, "rust-component");
const rustTarget = "wasm32-wasip2";

async function inFolder(build: (folder: string) => Promise<string>): Promise<Uint8Array<ArrayBuffer>> {
  const folder = await mkdtemp(join(tmpdir(), "mayfly-component-"));
  try {
    return new Uint8Array(await readFile(await build(folder)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const rust: ComponentToolchain = {
  language: "rust",
  isolation: "fresh",
  async missing() {
    try {
      const { stdout } = await run("rustc", ["--print", "sysroot"]);
      if (!existsSync(join(stdout.trim(), "lib/rustlib", rustTarget))) return `no rustc with ${rustTarget}`;
      await run("cargo", ["fetch", "--offline", "--locked", "--target", rustTarget], { cwd: rustFolder });
      return null;
    } catch {
      return `no cargo with ${rustTarget} and the crates of guest/examples/rust-component`;
    }
  },
  build: () =>
    inFolder(async (folder) => {
      const args = [
        "build",
        "--release",
        "--offline",
        "--locked",
        "--target",
        rustTarget,
        "--target-dir",
        folder,
      ];
      await run("cargo", args, { cwd: rustFolder });
      return join(folder, rustTarget, "release/hello.wasm");
    }),
};

const c: ComponentToolchain = {
  language: "c",
  isolation: "fresh",
  async missing() {
    if (jcoFolder === null) return "no @bytecodealliance/jco in the cache of mayfly build --target js";
    if (!existsSync("/usr/include/wasm32-wasi/stdio.h")) return "no wasi-libc";
    return run("clang", ["--version"]).then(
      () => null,
      () => "no clang",
    );
  },
  build: () =>
    inFolder(async (folder) => {
      const [core, output] = [join(folder, "core.wasm"), join(folder, "hello.wasm")];
      const source = join(examples, "c-component/hello.c");
      await run("clang", [...cFlags, "-o", core, source]);
      const wit = await readFile(join(root, "guest/wit/http.wit"), "utf8");
      await writeFile(output, await componentOf(await readFile(core), wit));
      return output;
    }),
};

/** Where `mayfly build` keeps the package that it fetches (host/cli/js-component.ts). */
const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "mayfly");
const packageVersion = "0.23.0";

const javascriptOf = (isolation: "fresh" | "reuse"): ComponentToolchain => ({
  language: isolation === "fresh" ? "javascript" : "javascript-reuse",
  isolation,
  async missing() {
    const folder = join(
      cache,
      `componentize-js-${packageVersion}/node_modules/@bytecodealliance/componentize-js`,
    );
    return existsSync(folder) ? null : "no componentize-js in the cache of mayfly build --target js";
  },
  build: () =>
    inFolder(async (folder) => {
      const output = join(folder, "hello.wasm");
      const source = join(examples, "javascript/hello.js");
      const options = isolation === "reuse" ? ["--reuse"] : [];
      await run(process.execPath, [join(root, "bin/mayfly.js"), "build", source, "-o", output, ...options]);
      return output;
    }),
});

export const componentToolchains = [c, rust, javascriptOf("fresh"), javascriptOf("reuse")] as const;

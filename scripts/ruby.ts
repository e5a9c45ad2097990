// Makes a program of the Ruby that the package @ruby/3.4-wasm-wasi carries, which is built to be embedded in
// JavaScript: what it wants of JavaScript is filled with functions that trap, and an entry starts it and loads
// /app.rb. The parts are merged to one module.
//
//   (cd guest/examples/ruby && npm ci)
//   npx node scripts/ruby.ts ruby.wasm
//   mkdir -p script && cp guest/examples/ruby/app.rb script
//   mayfly deploy hello-ruby ruby.wasm --files script

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import wabt from "wabt";
import { inspectDeclarations } from "../host/wasm/inspect.ts";
import type { FunctionType, ModuleImport } from "../host/wasm/inspection.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "..");
const packages = join(root, "guest/examples/ruby/node_modules");
const interpreter = join(packages, "@ruby/3.4-wasm-wasi/dist/ruby.wasm");
const merge = join(root, "node_modules/binaryen/bin/wasm-merge");
const cached = join(packages, ".cache/ruby.wasm");

const wants = ["rb-js-abi-host", "canonical_abi"] as const;
const initExport = "ruby-init: func(args: list<string>) -> ()";
const evalExport = "rb-eval-string-protect: func(str: string) -> tuple<handle<rb-abi-value>, s32>";
/** The interpreter reads them up to their NUL. */
const args = ["ruby\0", "-EUTF-8\0", "-e_=0\0"];
const script = "begin load '/app.rb' ensure $stdout.flush end";

/** What is missing; null when the program can be made. */
export function rubyMissing(): string | null {
  return existsSync(interpreter) ? null : "no Ruby: npm ci in guest/examples/ruby installs it";
}

/** The file of the program, made once for each installation of the package. */
export async function rubyProgram(): Promise<string> {
  if (existsSync(cached)) return cached;
  const folder = await mkdtemp(join(tmpdir(), "mayfly-ruby-"));
  try {
    const { imports } = inspectDeclarations(await readFile(interpreter));
    const { parseWat } = await wabt();
    const part = async (name: string, text: string): Promise<string[]> => {
      const module = parseWat(`${name}.wat`, text);
      const file = join(folder, `${name}.wasm`);
      await writeFile(file, module.toBinary({}).buffer);
      module.destroy();
      return [file, name];
    };
    const parts = [...wants.map((name) => part(name, stub(imports, name))), part("entry", entry())];
    const output = join(folder, "program.wasm");
    const words = [interpreter, "ruby", ...(await Promise.all(parts)).flat()];
    const flags = ["--all-features", "--rename-export-conflicts"];
    await run(process.execPath, ["--stack-size=4000", merge, ...words, "-o", output, ...flags]);
    await mkdir(join(packages, ".cache"), { recursive: true });
    // Whole or absent: several may make it at once.
    const temporary = `${cached}.${process.pid}`;
    await copyFile(output, temporary);
    await rename(temporary, cached);
    return cached;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function signature({ params, results }: FunctionType): string {
  const parameters = params.length > 0 ? `(param ${params.join(" ")})` : "";
  return `${parameters} ${results.length > 0 ? `(result ${results.join(" ")})` : ""}`;
}

/** Functions of the module of that name: a handle is what it stands for, all else traps. */
function stub(imports: readonly ModuleImport[], module: string): string {
  const functions = imports.flatMap((each) => {
    if (each.module !== module || each.type === null) return [];
    const isHandle = /^resource_(?:new|get)_/.test(each.name);
    const isDrop = each.name.startsWith("resource_drop_");
    const body = isHandle ? "local.get 0" : isDrop ? "" : "unreachable";
    return [`(func (export ${JSON.stringify(each.name)}) ${signature(each.type)} ${body})`];
  });
  return `(module ${functions.join("\n")})`;
}

/** Starts the interpreter, and runs the script; exit code 1 when that raised. */
function entry(): string {
  const alloc = (align: number, bytes: number): string =>
    `(call $alloc (i32.const 0) (i32.const 0) (i32.const ${align}) (i32.const ${bytes}))`;
  const text = (value: string): string =>
    `(local.set $text ${alloc(1, value.length)})` +
    [...Buffer.from(value)]
      .map((byte, at) => `(i32.store8 offset=${at} (local.get $text) (i32.const ${byte}))`)
      .join("\n");
  const argument = (value: string, index: number): string =>
    `${text(value)}
     (i32.store offset=${8 * index} (local.get $list) (local.get $text))
     (i32.store offset=${8 * index + 4} (local.get $list) (i32.const ${value.length}))`;
  return `(module
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (import "ruby" "memory" (memory 1))
    (import "ruby" "_initialize" (func $initialize))
    (import "ruby" "__wasi_vfs_rt_init" (func $files))
    (import "ruby" "cabi_realloc" (func $alloc (param i32 i32 i32 i32) (result i32)))
    (import "ruby" "${initExport}" (func $init (param i32 i32)))
    (import "ruby" "${evalExport}" (func $eval (param i32 i32) (result i32)))
    (func (export "_start") (local $list i32) (local $text i32)
      (call $initialize)
      (call $files)
      (local.set $list ${alloc(4, 8 * args.length)})
      ${args.map(argument).join("\n")}
      (call $init (local.get $list) (i32.const ${args.length}))
      ${text(script)}
      (if (i32.load offset=4 (call $eval (local.get $text) (i32.const ${script.length})))
        (then (call $exit (i32.const 1))))))`;
}

if (import.meta.main) {
  const [output = "ruby.wasm"] = process.argv.slice(2);
  const missing = rubyMissing();
  if (missing !== null) {
    process.stderr.write(`${missing}\n`);
    process.exit(1);
  }
  await copyFile(await rubyProgram(), output);
}

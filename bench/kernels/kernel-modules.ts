// The kernels of this folder, compiled by AssemblyScript as guests are: used by bench/kernels.ts and by
// the tests that hold metered and plain modules against one another.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import asc from "assemblyscript/asc";

/** Each exports run(rounds: i32): f64; so many rounds take some milliseconds. */
export const kernels: readonly { readonly name: string; readonly rounds: number }[] = [
  { name: "fibonacci", rounds: 20 },
  { name: "ackermann", rounds: 60 },
  { name: "sieve", rounds: 40 },
  { name: "hash", rounds: 60 },
  { name: "matrix", rounds: 5 },
  { name: "quicksort", rounds: 3 },
  { name: "sha256", rounds: 14 },
  { name: "search", rounds: 15 },
  { name: "nbody", rounds: 25 },
  { name: "mandelbrot", rounds: 6 },
  { name: "simd-dot", rounds: 400 },
  { name: "simd-blur", rounds: 300 },
  { name: "pointer-chase", rounds: 8 },
  { name: "interpreter", rounds: 60 },
  { name: "queens", rounds: 12 },
  { name: "shapes", rounds: 80 },
  { name: "words", rounds: 40 },
  { name: "copies", rounds: 30 },
];

/** The module of a kernel, optimised, with SIMD and the collector that guests have. */
export async function compileKernel(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const source = readFileSync(join(import.meta.dirname, `${name}.as.ts`), "utf8");
  let wasm: Uint8Array<ArrayBuffer> | undefined;
  const { error, stderr } = await asc.main(
    ["kernel.ts", "--outFile", "kernel.wasm", "-O3", "--enable", "simd", "--use", "abort="],
    {
      readFile: (file: string) => (file === "kernel.ts" ? source : null),
      writeFile: (_file: string, contents: string | Uint8Array) => {
        if (typeof contents !== "string") wasm = new Uint8Array(contents);
      },
      listFiles: () => [],
    },
  );
  if (error !== null || wasm === undefined) throw new Error(`asc failed on ${name}: ${stderr.toString()}`);
  return wasm;
}

/** Instantiates a kernel, plain or prepared, whose memory and check the host supplies; its `run`. */
export function startKernel(
  bytes: Uint8Array<ArrayBuffer>,
  memoryPages: number,
  check: () => number,
): (rounds: number) => number {
  const memory = new WebAssembly.Memory({ initial: memoryPages, maximum: 1024 });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
    "mayfly:host": { memory, check, pause: check, turn: check, grow: () => 1 },
  });
  const start = instance.exports["mayfly:start"];
  if (typeof start === "function") start();
  const run = instance.exports["run"];
  if (typeof run !== "function") throw new Error("the kernel exports no run");
  return run as (rounds: number) => number;
}

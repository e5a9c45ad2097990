// Random valid modules: Binaryen makes one out of any bytes (wasm-opt --translate-to-fuzz). The bytes
// come out of a seed, so that a module can be had again. Each takes some tenths of a second, in a process
// of its own.

import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { seeded } from "../../support/seeded-random.ts";

const wasmOpt = join(dirname(createRequire(import.meta.url).resolve("binaryen")), "bin", "wasm-opt");

/** What V8 has behind flags, and what the inspection refuses. */
const without = [
  ...["gc", "threads", "memory64", "multimemory", "shared-everything", "strings", "stack-switching"],
  ...["custom-descriptors", "fp16", "relaxed-atomics", "custom-page-sizes", "wide-arithmetic"],
  ...["compact-imports", "multibyte"],
].map((name) => `--disable-${name}`);

/** For a program that runs once, and a small part of it: otherwise it takes three times as long. */
const onceFlags = ["--liftoff-only", "--wasm-lazy-compilation", "--single-threaded"];

/** Other modules with every seed: long ones, ones without exceptions, optimised ones. */
function variant(seed: number): string[] {
  const flags: string[] = [];
  // V8 takes either form of exceptions, not both in one module.
  if (seed % 4 === 0) flags.push("--disable-exception-handling");
  else if (seed % 4 > 1) flags.push("--translate-to-exnref");
  if (seed % 3 === 0) flags.push("-O2");
  else if (seed % 3 === 1) flags.push("--rse", "--coalesce-locals", "--vacuum");
  return flags;
}

/** A valid module; `further` are flags of wasm-opt, such as features to leave out. */
export async function randomModule(seed: number, further: readonly string[] = []): Promise<Uint8Array> {
  const random = seeded(seed);
  const bytes = Uint8Array.from({ length: 1_000 + (random() % 20_000) }, () => random() & 0xff);
  const folder = await mkdtemp(join(tmpdir(), "mayfly-fuzz-"));
  try {
    const [input, output] = [join(folder, "in"), join(folder, "out.wasm")];
    await writeFile(input, bytes);
    const flags = [
      input,
      "-ttf",
      "--denan",
      "--all-features",
      ...without,
      ...variant(seed),
      ...further,
      "-o",
      output,
    ];
    await promisify(execFile)(process.execPath, [...onceFlags, wasmOpt, ...flags], { maxBuffer: 1 << 27 });
    return Uint8Array.from(await readFile(output));
  } finally {
    await rm(folder, { recursive: true });
  }
}

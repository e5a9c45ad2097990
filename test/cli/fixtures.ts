// What tests of the command line put on disk and on the fake host before they begin.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FakeHost } from "./fake-host.ts";
import { cli } from "./run-cli.ts";

export const wasm = Buffer.from("\0asm\x01\0\0\0", "latin1");
export const otherWasm = Buffer.concat([wasm, Buffer.from([0, 1, 0])]);

/** A temporary folder with hello.wasm, other.wasm and hello.ts, removed after `run`. */
export async function withFolder(run: (dir: string) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "mayfly-cli-"));
  try {
    await writeFile(join(dir, "hello.wasm"), wasm);
    await writeFile(join(dir, "other.wasm"), otherWasm);
    await writeFile(join(dir, "hello.ts"), "export function handle() {}");
    await run(dir);
  } finally {
    await rm(dir, { recursive: true });
  }
}

/** Function "hello" with version 1 and the live version 2. */
export async function seed(host: FakeHost): Promise<void> {
  await withFolder(async (cwd) => {
    await cli(["deploy", "hello", "hello.wasm", "--url", host.url], { cwd });
    await cli(["deploy", "hello", "other.wasm", "--url", host.url], { cwd });
  });
  host.received.length = 0;
}

/** As host/build throws it. */
export function buildError(message: string): Error {
  return Object.assign(new Error(message), { name: "BuildError" });
}

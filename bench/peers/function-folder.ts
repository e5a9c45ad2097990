// A temporary folder of copies of the hello function, each differing from the others in a byte that is
// compiled: the very bytes that every peer serves.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { distinctCopy } from "../../host/wasm/copies.ts";
import { helloModule } from "../servers.ts";
import { type FunctionFolder, nameOf } from "./peer.ts";

/** Copies 0 to `count - 1` of the hello function, or of a module that answers as it does. */
export async function functionFolder(
  count: number,
  hello: Promise<Uint8Array> = helloModule(),
): Promise<FunctionFolder & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), "mayfly-peers-"));
  const wasm = await hello;
  for (let index = 0; index < count; index += 1) {
    await writeFile(join(path, `${nameOf(index)}.wasm`), distinctCopy(wasm, index));
  }
  return {
    path,
    count,
    wasm,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

// What the tests of bench measure: files in a temporary folder, and a host that only pretends to run them.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { answering, guest, literal } from "../../support/guests.ts";
import { responseMessage } from "../../support/messages.ts";
import { type FakeHost, startFakeHost } from "../fake-host.ts";

/** Answers after so many rounds of a loop. */
export function slow(rounds: number): Uint8Array {
  const bytes = responseMessage({ status: 200, body: "slow" });
  return guest(
    `(local $left i32) (local.set $left (i32.const ${rounds}))
     (loop $again (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
     (call $write (i32.const 0) (i32.const ${bytes.length}))`,
    `(data (i32.const 0) "${literal(bytes)}")`,
    `(import "mayfly" "response_write" (func $write (param i32 i32)))`,
  );
}

/** Runs with a folder of .wasm files, fast and trap; removed afterwards. */
export async function withModules(run: (dir: string) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "mayfly-bench-test-"));
  try {
    await writeFile(join(dir, "fast.wasm"), answering("fast"));
    await writeFile(join(dir, "trap.wasm"), guest("unreachable"));
    await run(dir);
  } finally {
    await rm(dir, { recursive: true });
  }
}

/** A host that answers every call at once, as if the function had run, and keeps none of them. */
export async function startAnsweringHost(): Promise<FakeHost> {
  const host = await startFakeHost();
  host.call = answerCall;
  return host;
}

export function answerCall(_request: unknown, response: ServerResponse): void {
  response.writeHead(200, { "server-timing": "queue;dur=0.010, instantiate;dur=0.002, run;dur=0.003" });
  response.end("fine");
}

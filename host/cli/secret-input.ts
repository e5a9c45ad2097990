// Where a secret comes from that is typed or piped: standard input, or a prompt that shows nothing of it. Never
// the command line, which other users of the machine can read and shells remember.

import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { WrongUsage } from "./failure.ts";
import type { CliIo } from "./io.ts";

/** One line end behind it is no part of it. Throws WrongUsage when there is nothing, or no text. */
export async function readSecret(io: CliIo, prompt: string): Promise<Uint8Array> {
  const bytes = isTerminal(io) ? Buffer.from(await asked(io, prompt)) : await buffer(io.stdin);
  const end = bytes.at(-1) === 0x0a ? (bytes.at(-2) === 0x0d ? -2 : -1) : undefined;
  const secret = bytes.subarray(0, end);
  if (secret.byteLength === 0) throw new WrongUsage("The secret is empty, want it on standard input");
  return secret;
}

function isTerminal({ stdin, stderr }: CliIo): boolean {
  return "isTTY" in stdin && stdin.isTTY === true && stderr.isTTY === true;
}

async function asked({ stdin, stderr }: CliIo, prompt: string): Promise<string> {
  stderr.write(prompt);
  // What is typed is echoed into nothing.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: stdin, output: nowhere, terminal: true });
  const cut = new AbortController();
  lines.once("SIGINT", () => cut.abort());
  lines.once("close", () => cut.abort());
  try {
    return await lines.question("", { signal: cut.signal });
  } catch (error) {
    if (cut.signal.aborted) throw new WrongUsage("No secret was typed");
    throw error;
  } finally {
    lines.close();
    stderr.write("\n");
  }
}

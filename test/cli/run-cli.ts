// Runs the command line in this process with streams, environment and folder of its own. Used by
// the tests of test/cli; nothing is spawned.

import { PassThrough, Readable } from "node:stream";
import type { HostModules } from "../../host/cli/host-modules.ts";
import type { CliIo, CliStream } from "../../host/cli/io.ts";
import { runCli } from "../../host/cli/main.ts";

export type CliResult = {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stdoutBytes: Buffer;
  readonly stderr: string;
};

export type CliOptions = {
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  readonly stdin?: string | Buffer;
  readonly terminal?: boolean;
  readonly modules?: Partial<HostModules>;
};

/** Disposing it interrupts it, so that a failed test leaves nothing running. */
export type RunningCli = AsyncDisposable & {
  readonly done: Promise<CliResult>;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly interrupt: () => void;
};

const noModules: HostModules = {
  superviseHost: () => Promise.reject(new Error("this test has no supervisor")),
  initProject: () => Promise.reject(new Error("this test has no init")),
  compileFunction: () => Promise.reject(new Error("this test has no compiler")),
  compileModule: () => Promise.reject(new Error("this test has no compiler")),
  callExport: () => Promise.reject(new Error("this test has no loader")),
  receiveBackup: () => Promise.reject(new Error("this test has no backups")),
  restoreBackup: () => Promise.reject(new Error("this test has no backups")),
};

export function startCli(argv: readonly string[], options: CliOptions = {}): RunningCli {
  const interruption = new AbortController();
  const [stdout, out] = collector(options.terminal === true);
  const [stderr, err] = collector(options.terminal === true);
  const io: CliIo = {
    stdin: Readable.from(options.stdin === undefined ? [] : [Buffer.from(options.stdin)]),
    stdout,
    stderr,
    env: options.env ?? {},
    cwd: options.cwd ?? process.cwd(),
    interruption: () => interruption.signal,
  };
  const done = runCli(argv, io, { ...noModules, ...options.modules }).then((exitCode) => ({
    exitCode,
    stdout: out().toString(),
    stdoutBytes: out(),
    stderr: err().toString(),
  }));
  return {
    done,
    stdout: () => out().toString(),
    stderr: () => err().toString(),
    interrupt: () => interruption.abort(),
    async [Symbol.asyncDispose]() {
      interruption.abort();
      await done;
    },
  };
}

export function cli(argv: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return startCli(argv, options).done;
}

/** Waits until `condition` holds, at most 20 s. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const endMs = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > endMs) throw new Error(`Waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function collector(terminal: boolean): [CliStream, () => Buffer] {
  const chunks: Buffer[] = [];
  const stream = Object.assign(new PassThrough(), terminal ? { isTTY: true } : {});
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  return [stream, () => Buffer.concat(chunks)];
}

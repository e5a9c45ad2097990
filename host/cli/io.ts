// What a run of the command line touches of the outside: streams, environment, working folder and
// interruption. `main.ts` makes it from the process, tests from plain streams. Nothing else in
// cli/ reaches for `process`.

import type { Readable, Writable } from "node:stream";

export type CliStream = Writable & { readonly isTTY?: boolean };

export type CliIo = {
  readonly stdin: Readable;
  readonly stdout: CliStream;
  readonly stderr: CliStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /**
   * Asked for by commands that run until they are interrupted: from then on SIGINT and SIGTERM
   * abort this signal instead of ending the process.
   */
  readonly interruption: () => AbortSignal;
};

export function processIo(): CliIo {
  const controller = new AbortController();
  let listening = false;
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    interruption: () => {
      if (!listening) {
        listening = true;
        // The launcher passes the signal on that the terminal sent to the whole group: it can come twice.
        for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => controller.abort());
      }
      return controller.signal;
    },
  };
}

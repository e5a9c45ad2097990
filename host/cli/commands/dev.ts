// `mayfly dev FILE.ts [NAME]`: builds and deploys, then again at every save, and prints the
// function's log, until SIGINT. A failed build or deploy is printed and the watching goes on; only
// a host that cannot be reached at the start ends it.

import { dirname, extname, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readFunctionName } from "../arguments.ts";
import type { HostClient } from "../client.ts";
import { type CommandContext, type CommandSpec, requiredArgument } from "../command.ts";
import { CommandFailure, exitCodes, messageOf, WrongUsage } from "../failure.ts";
import { nameOfFile } from "../file-name.ts";
import { compileFile } from "../function-source.ts";
import { formatLogLine } from "../log-line.ts";
import { watchFolder } from "../watch-folder.ts";
import { describeDeploy, functionUrl } from "./deploy.ts";

const followRetryMs = 1_000;

export const devCommand: CommandSpec = {
  name: "dev",
  args: "<file> [name]",
  summary: "build and deploy at every save, and follow the log",
  examples: ["mayfly dev hello.ts", "mayfly dev src/index.ts hello"],
  notes:
    "NAME is the file's name, or the folder's for index.ts and the like. All of the file's folder is\n" +
    "watched. It builds without optimising, which is faster; mayfly deploy optimises.",
  options: [],
  usesHost: true,
  async run(args, context) {
    const file = requiredArgument(args, 0);
    if (extname(file) !== ".ts")
      throw new WrongUsage(`Cannot watch ${JSON.stringify(file)}, want a .ts file`);
    const path = resolve(context.io.cwd, file);
    const name = args[1] === undefined ? nameOfFile(path) : readFunctionName(args[1]);
    const client = context.client();
    const interruption = context.io.interruption();
    await client.check();

    const session: Session = {
      ...{ file, name, client, context },
      changes: createTurnstile(),
      deployed: createTurnstile(),
    };
    const folder = await watchFolder(dirname(path), session.changes.open);
    if (folder.truncated)
      context.output.note("warning: the folder is very large, only a part of it is watched");
    context.output.note(`Watching ${dirname(path)} for ${name}; Ctrl-C ends it`);
    try {
      await runUntil(interruption, session);
    } finally {
      folder.close();
    }
    return exitCodes.done;
  },
};

type Session = {
  readonly file: string;
  readonly name: string;
  readonly client: HostClient;
  readonly context: CommandContext;
  /** Opened by each change of the sources. */
  readonly changes: Turnstile;
  /** Opened by each deploy. */
  readonly deployed: Turnstile;
};

async function runUntil(interruption: AbortSignal, session: Session): Promise<void> {
  const wakeAll = (): void => {
    session.changes.open();
    session.deployed.open();
  };
  interruption.addEventListener("abort", wakeAll, { once: true });
  if (interruption.aborted) wakeAll();
  const follower = followWhileRunning(session, interruption);
  while (!interruption.aborted) {
    await buildAndDeploy(session, interruption);
    if (!interruption.aborted) await session.changes.pass();
  }
  interruption.removeEventListener("abort", wakeAll);
  await follower;
}

async function buildAndDeploy(session: Session, signal: AbortSignal): Promise<void> {
  const { file, name, client, context } = session;
  const { output } = context;
  try {
    const startMs = performance.now();
    const { wasm } = await compileFile(file, context, false);
    const builtMs = performance.now();
    if (signal.aborted) return;
    const { record, changed } = await client.deploy(name, wasm, { signal });
    const deployedMs = performance.now();
    session.deployed.open();
    const buildMs = Math.round(builtMs - startMs);
    const deployMs = Math.round(deployedMs - builtMs);
    const url = functionUrl(client.url, record);
    output.value({ event: "deployed", ...record, url, changed, buildMs, deployMs });
    const took = `in ${buildMs + deployMs} ms (build ${buildMs} ms, deploy ${deployMs} ms)`;
    output.line(`${output.style("green", describeDeploy(record, { changed }))} ${took}: ${url}`);
  } catch (error) {
    if (signal.aborted) return;
    const code = error instanceof CommandFailure ? error.code : "failed";
    output.value({ event: "failed", code, message: messageOf(error) });
    if (!output.json) output.note(messageOf(error));
  }
}

/** Prints log lines until aborted; a stream that ends (the host restarts) is opened again. */
async function followWhileRunning(session: Session, signal: AbortSignal): Promise<void> {
  const { name, client, context } = session;
  const { output } = context;
  await session.deployed.pass();
  while (!signal.aborted) {
    try {
      for await (const line of client.followLogs(name, signal, { recent: false })) {
        output.value({ event: "log", ...line });
        output.line(formatLogLine(line, output));
      }
    } catch {
      // No host just now: the next deploy says so, where it matters.
    }
    await sleep(followRetryMs, undefined, { signal }).catch(() => {});
  }
}

type Turnstile = { readonly open: () => void; readonly pass: () => Promise<void> };

/** `pass` waits until `open` was called since the last pass; calls in between count once. */
function createTurnstile(): Turnstile {
  let isOpen = false;
  let wake = (): void => {};
  return {
    open(): void {
      isOpen = true;
      wake();
    },
    async pass(): Promise<void> {
      if (!isOpen) {
        await new Promise<void>((done) => {
          wake = done;
        });
      }
      isOpen = false;
    },
  };
}

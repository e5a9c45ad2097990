// The host that bench starts for itself: a child process as `mayfly serve` starts it, on a free port, in
// a temporary folder of its own, without the user's MAYFLY_* settings.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CommandFailure } from "../failure.ts";

export type OwnHost = {
  readonly url: URL;
  readonly pid: number;
  /** From the start of the process to the line that says that it listens, ms. */
  readonly startMs: number;
  /** Resolves when the process has ended. */
  readonly stop: () => Promise<void>;
};

/** Ended by force when it has not drained by then. */
const stopTimeoutMs = 5_000;
const startTimeoutMs = 60_000;
const saidCharactersMax = 4_000;

type Environment = Readonly<Record<string, string | undefined>>;

/** The folder of a host's data; removed by what it returns. */
export async function temporaryFolder(env: Environment): Promise<{
  readonly path: string;
  readonly remove: () => Promise<void>;
}> {
  const path = await mkdtemp(join(env["TMPDIR"] ?? tmpdir(), "mayfly-bench-"));
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 }) };
}

/** Resolves when it listens; throws CommandFailure `host_not_started` with what it said. */
export async function startOwnHost(
  folder: string,
  flags: readonly string[],
  env: Environment,
): Promise<OwnHost> {
  const entry = fileURLToPath(import.meta.resolve("../main.ts"));
  const own = Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("MAYFLY_")));
  const startedAtMs = performance.now();
  const child = spawn(process.execPath, [entry, "serve", "--port", "0", "--data", folder, ...flags], {
    env: own,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    // A process that never was does not exit either.
    child.once("error", () => resolve());
  });
  const stop = (): Promise<void> => stopProcess(child, ended);
  try {
    const url = await listeningUrl(child, ended);
    return { url, pid: child.pid ?? 0, startMs: performance.now() - startedAtMs, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function listeningUrl(child: ChildProcess, ended: Promise<void>): Promise<URL> {
  let said = "";
  const failed = (what: string): CommandFailure => {
    const why = said.trim() === "" ? "" : `: ${said.trim().slice(0, saidCharactersMax)}`;
    return new CommandFailure("host_not_started", `Cannot start a host to measure: ${what}${why}`);
  };
  let timer: NodeJS.Timeout | undefined;
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    if (said.length < saidCharactersMax) said += text;
  });
  const listening = new Promise<URL>((resolve, reject) => {
    let printed = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
      const url = /listening on (http:\/\/\S+)\n/.exec(printed)?.[1];
      if (url !== undefined) resolve(new URL(url));
    });
    void ended.then(() => reject(failed("it ended before it listened")));
    timer = setTimeout(() => reject(failed(`it did not listen within ${startTimeoutMs} ms`)), startTimeoutMs);
  });
  try {
    return await listening;
  } finally {
    clearTimeout(timer);
  }
}

async function stopProcess(child: ChildProcess, ended: Promise<void>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  child.kill("SIGTERM");
  // The host process ends when its supervisor is gone.
  const timer = setTimeout(() => child.kill("SIGKILL"), stopTimeoutMs);
  await ended;
  clearTimeout(timer);
}

// Ways of starting a peer's server, shared by the adapters: one that prints where it listens, and one that
// is told a port and asked until it answers. And where a peer's program or package is.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { access, constants, readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { listening, type Server, serverOf } from "../servers.ts";
import type { Missing } from "./peer.ts";

const startMsMax = 30_000;
export const serversFolder = join(import.meta.dirname, "servers");

/** Runs a program that prints `listening on http://…`. */
export function startPrinting(
  program: string,
  args: readonly string[],
  env?: NodeJS.ProcessEnv,
): Promise<Server> {
  const child = spawn(program, args, {
    // What a peer prints while it is measured would break the progress line; it ends with its cause anyway.
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...process.env, ...env },
  });
  return inTime(listening(child), child);
}

/** Runs a server of servers/ under Node. */
export function startNode(file: string, ...args: readonly string[]): Promise<Server> {
  return startPrinting(process.execPath, [
    "--disable-warning=ExperimentalWarning",
    join(serversFolder, file),
    ...args,
  ]);
}

/** Runs a program that listens on the port of 127.0.0.1 that it is told, and waits until that answers. */
export async function startOnPort(
  program: string,
  argsOf: (port: number) => readonly string[],
): Promise<Server> {
  const port = await freePort();
  const child = spawn(program, argsOf(port), { stdio: "ignore" });
  const server = serverOf(child, `http://127.0.0.1:${port}`);
  return inTime(answering(server), child);
}

async function answering(server: Server): Promise<Server> {
  for (;;) {
    if (server.process.exitCode !== null) throw new Error(`it ended with ${server.process.exitCode}`);
    // Any answer will do, and none of the functions is called for it.
    const answered = await fetch(server.url).then(
      async (answer) => answer.text().then(() => true),
      () => false,
    );
    if (answered) return server;
    await pause(50);
  }
}

async function inTime(started: Promise<Server>, child: ChildProcess): Promise<Server> {
  const late = pause(startMsMax, null, { ref: false });
  const failed = once(child, "error").then(([error]) => {
    throw error;
  });
  failed.catch(() => {});
  const server = await Promise.race([started, failed, late]);
  if (server !== null) return server;
  child.kill("SIGKILL");
  throw new Error(`it did not listen within ${startMsMax / 1000} s`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}

/** The program of the first of these packages that is installed, or why there is none. */
export async function packageProgram(
  packages: readonly string[],
  program: string,
): Promise<string | Missing> {
  for (const name of packages) {
    const file = join(import.meta.dirname, "node_modules", name, program);
    if (await isExecutable(file)) return file;
  }
  return { missing: `no package of it for ${process.platform}-${process.arch} is installed` };
}

/** A program on the path, or why there is none. */
export async function pathProgram(name: string): Promise<string | Missing> {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const file = join(folder, name);
    if (await isExecutable(file)) return file;
  }
  return { missing: `there is no \`${name}\` on the path` };
}

function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** The version in the package.json of this folder, or null when there is none. */
export async function packageVersion(folder: string): Promise<string | null> {
  const text = await readFile(join(folder, "package.json"), "utf8").catch(() => null);
  return text === null ? null : (JSON.parse(text) as { version: string }).version;
}

/** The first number of the form 1.2.3 or 2026-01-02 that a program prints for `--version`. */
export async function programVersion(program: string): Promise<string> {
  const { stdout } = await promisify(execFile)(program, ["--version"]);
  return /\d+[.-]\d+[.-]\d+\S*/.exec(stdout)?.[0] ?? stdout.trim();
}

// A host as a user runs it: `mayfly serve` in processes of its own, on a free port, in a temporary
// folder. Used by the tests of starting, dying and stopping.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const cli = join(import.meta.dirname, "../../bin/mayfly.js");

export type ServeOptions = {
  /** The file of the command; the checkout's own unless given. */
  readonly command?: string;
  readonly dataDir?: string;
  readonly arguments?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
};

export class SupervisedHost implements AsyncDisposable {
  readonly dataDir: string;
  readonly process: ChildProcess;
  url = "";
  output = "";
  readonly #ownsData: boolean;
  readonly #kill = (): void => {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const supervisor = tryChildOf(this.process.pid ?? 0, "cli/main");
    if (supervisor !== null) process.kill(supervisor, "SIGKILL");
    this.process.kill("SIGKILL");
  };

  private constructor(dataDir: string, ownsData: boolean, options: ServeOptions) {
    this.dataDir = dataDir;
    this.#ownsData = ownsData;
    this.process = spawn(
      process.execPath,
      [options.command ?? cli, "serve", "--port", "0", "--data", dataDir, ...(options.arguments ?? [])],
      { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...options.env }, detached: true },
    );
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.output += text;
      });
    }
    // A test that ran out of time disposes of nothing.
    process.once("exit", this.#kill);
  }

  /** Starts it and waits for nothing. */
  static spawn(options: ServeOptions = {}): SupervisedHost {
    const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), "mayfly-flow-"));
    return new SupervisedHost(dataDir, options.dataDir === undefined, options);
  }

  /** Starts it; resolves when it listens, or when it ended before it did. */
  static async start(options: ServeOptions = {}): Promise<SupervisedHost> {
    const host = SupervisedHost.spawn(options);
    await until(
      () => /listening on http/.test(host.output) || host.process.exitCode !== null,
      30_000,
      () => host.output,
    );
    host.url = /listening on (http:\S+)/.exec(host.output)?.[1] ?? "";
    return host;
  }

  /** The process that holds the socket: the child of the launcher. */
  get supervisorPid(): number {
    return childOf(this.process.pid ?? 0, "cli/main");
  }

  get hostPid(): number {
    return childOf(this.supervisorPid, "host-process");
  }

  /** Whether its host process exists and does not listen yet. */
  isStarting(): boolean {
    const supervisor = tryChildOf(this.process.pid ?? 0, "cli/main");
    if (supervisor === null || tryChildOf(supervisor, "host-process") === null) return false;
    return !/listening on/.test(this.output);
  }

  /** Kills the host process and returns once the supervisor has said so. */
  async killHost(): Promise<void> {
    const before = this.output.length;
    process.kill(this.hostPid, "SIGKILL");
    await until(
      () => /host process ended/.test(this.output.slice(before)),
      10_000,
      () => this.output,
    );
  }

  /**
   * Whoever holds a thread at three kills is taken for their cause: lets the function go on, and has what
   * was given up meanwhile delivered again.
   */
  async release(name: string): Promise<void> {
    for (const path of [`functions/${name}/unquarantine`, `events/redrive?function=${name}`]) {
      const { ok } = await fetch(`${this.url}/v1/${path}`, { method: "POST" });
      if (!ok) throw new Error(`The host did not release "${name}": ${path}`);
    }
  }

  async deploy(name: string, bytes: Uint8Array): Promise<Response> {
    return fetch(`${this.url}/v1/functions/${name}`, {
      method: "PUT",
      body: new Uint8Array(bytes),
      headers: { "content-type": "application/wasm" },
    });
  }

  /** Waits for its end, a minute at most: longer than a drain may take. */
  async exit(): Promise<number | null> {
    await until(
      () => this.process.exitCode !== null || this.process.signalCode !== null,
      60_000,
      () => `it has not ended: ${this.output}`,
    );
    return this.process.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#kill();
    await this.exit();
    process.off("exit", this.#kill);
    if (this.#ownsData)
      await rm(this.dataDir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

/** Waits for a condition, looking every 20 ms; fails after `timeoutMs` with what `state` says. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  timeoutMs: number,
  state: () => string = () => "",
): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`Waited ${timeoutMs} ms in vain: ${state()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function childOf(parent: number, part: string): number {
  const found = tryChildOf(parent, part);
  if (found === null) throw new Error(`Process ${parent} has no child "${part}"`);
  return found;
}

function tryChildOf(parent: number, part: string): number | null {
  const rows = execFileSync("ps", ["-A", "-o", "pid=,ppid=,args="], { encoding: "utf8" }).split("\n");
  for (const row of rows) {
    const [, pid, ppid, args = ""] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(row) ?? [];
    if (Number(ppid) === parent && args.includes(part)) return Number(pid);
  }
  return null;
}

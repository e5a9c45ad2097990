// The outer process: binds the socket, starts the host with its flags, watches its heartbeat, and
// replaces it when it dies or hangs; connections that arrive meanwhile wait in the socket. Runs no
// guest code and reads no file of the data folder (it synchronises them, and passes on to the inspectors that it
// starts what the host process wrote for them), so that nothing a guest does can reach it.
//
//   starting -> serving -> draining -> ended
//      |  ^        |          ^
//      |  |        \-> died or silent: killed, started again, with growing pauses while that fails
//      |  \--------/          |
//      \-> ended (it cannot start for the first time) or draining (a signal came)

import { type ChildProcess, spawn } from "node:child_process";
import { BoundSocket } from "node:net";
import { totalmem } from "node:os";
import { resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import type { HostConfig } from "./config.ts";
import { Inspectors } from "./deploy/inspect.ts";
import { inspectRequested } from "./deploy/inspection-request.ts";
import { hostEnv, hostFlags } from "./engine-flags.ts";
import { limits } from "./limits.ts";
import { makeFolder } from "./make-folder.ts";
import { processorWaitMs, Silence } from "./silence.ts";
import { syncDirectly } from "./store/sync.ts";
import { type FromHost, hostConfigVariable, hostExit, type ToHost } from "./supervisor-protocol.ts";

type State = "starting" | "serving" | "draining" | "ended";

/** Longest pause before a host that once served is started again: a full disk may be emptied. */
const restartPauseMsMax = 10_000;
/** A host that served for less is not started again at once. */
const shortLifeMs = 500;
const startTimeoutMs = 30_000;
/** Resident memory of the host process at most: nine tenths of what the machine or container has. */
const rssBytesMax = Math.round(0.9 * Math.min(totalmem(), process.constrainedMemory() || Infinity));
/** Signals this soon after one another are one. */
const echoMs = 1_000;

export type SuperviseOptions = {
  /** The host listens for the first time; `url` is how this machine reaches it. */
  readonly onListening?: (url: string) => void;
};

/** Runs a host until it is told to end; resolves with the exit code for this process. */
export function superviseHost(config: HostConfig, options: SuperviseOptions = {}): Promise<number> {
  // Node's permission model knows a folder as such only when it is there.
  try {
    makeFolder(config.dataDir);
  } catch (error) {
    say(
      `Cannot make the data folder ${config.dataDir}: ${(error as Error).message}; choose another with --data`,
    );
    return Promise.resolve(1);
  }
  let socket: BoundSocket;
  try {
    socket = new BoundSocket({
      host: config.host === "localhost" ? "127.0.0.1" : config.host,
      port: config.port,
    });
  } catch (error) {
    process.stderr.write(`${bindFault(config, error)}\n`);
    return Promise.resolve(1);
  }
  return new Promise((ended) => new Supervisor(config, socket, options, ended).run());
}

class Supervisor {
  readonly #config: HostConfig;
  readonly #socket: BoundSocket;
  readonly #options: SuperviseOptions;
  readonly #end: (code: number) => void;
  readonly #inspectors = new Inspectors();
  #state: State = "starting";
  #child: ChildProcess | null = null;
  /** Lives in a row that ended before they served. */
  #failures = 0;
  #servedAtMs: number | null = null;
  #announced = false;
  #diedAtMs: number | null = null;
  #askedAtMs: number | null = null;
  #silence: Silence | null = null;
  #restart: NodeJS.Timeout | null = null;

  constructor(
    config: HostConfig,
    socket: BoundSocket,
    options: SuperviseOptions,
    end: (code: number) => void,
  ) {
    this.#config = config;
    this.#socket = socket;
    this.#options = options;
    this.#end = end;
  }

  run(): void {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
      process.on(signal, () => this.#asked(signal));
    this.#start();
  }

  #start(): void {
    this.#state = "starting";
    this.#restart = null;
    const entry = fileURLToPath(import.meta.resolve("./host-process.ts"));
    const child = spawn(
      process.execPath,
      [...hostFlags(this.#config.dataDir, this.#config.allowUnmetered), entry],
      {
        stdio: ["ignore", "inherit", "inherit", "ipc", this.#socket.fd()],
        // Not on the command line, which every user of the machine may read: it holds the token.
        env: {
          ...process.env,
          ...hostEnv(this.#config.dataDir),
          [hostConfigVariable]: JSON.stringify(this.#config),
        },
      },
    );
    this.#child = child;
    this.#expectBeat(startTimeoutMs);
    child.on("message", (message: FromHost) => this.#heard(message));
    child.on("error", (error) => {
      if (child.pid !== undefined) return say(`Trouble with the host process: ${error.message}`);
      // A process that never was does not exit either.
      say(`Cannot start the host process: ${error.message}`);
      this.#exited(child, hostExit.failed, null);
    });
    child.once("exit", (code, signal) => this.#exited(child, code, signal));
  }

  #heard(message: FromHost): void {
    if (message.kind === "sync") return void this.#sync(message.id, message.path);
    if (message.kind === "inspect") return void this.#inspect(message.id);
    if (message.kind === "beat") this.#watchMemory(message.rssBytes);
    // A start may block: it waits for the data folder's lock.
    this.#expectBeat(this.#state === "starting" ? startTimeoutMs : limits.heartbeatTimeoutMs);
    if (message.kind !== "listening" || this.#state !== "starting") return;
    this.#state = "serving";
    this.#expectBeat(limits.heartbeatTimeoutMs);
    this.#servedAtMs = performance.now();
    this.#inspectors.prepare();
    if (!this.#announced) {
      this.#announced = true;
      process.stdout.write(`Mayfly is listening on ${message.url}\n`);
      this.#options.onListening?.(message.localUrl);
    } else if (this.#diedAtMs !== null) {
      say(`The host process is back after ${Math.round(performance.now() - this.#diedAtMs)} ms`);
    }
  }

  /** A process that is about to take the machine down with it is ended by us, not by the kernel. */
  #watchMemory(rssBytes: number): void {
    if (rssBytes <= rssBytesMax) return;
    say(`The host process holds ${rssBytes} bytes, limit is ${rssBytesMax}: it is killed and replaced`);
    this.#child?.kill("SIGKILL");
  }

  async #sync(id: number, path: string): Promise<void> {
    const child = this.#child;
    let error: string | null = null;
    try {
      const { dataDir } = this.#config;
      const asked = resolve(path);
      if (asked !== dataDir && !asked.startsWith(`${dataDir}${sep}`))
        throw new Error("outside the data folder");
      await syncDirectly(path);
    } catch (cause) {
      error = (cause as Error).message;
    }
    if (child?.connected) child.send({ kind: "synced", id, error } satisfies ToHost, () => {});
  }

  async #inspect(id: number): Promise<void> {
    const child = this.#child;
    const inspection = await inspectRequested(this.#inspectors, this.#config.dataDir, id);
    if (child?.connected) child.send({ kind: "inspected", id, inspection } satisfies ToHost, () => {});
  }

  /** Kills a host that stays silent; a busy or blocked event loop is no host. */
  #expectBeat(timeoutMs: number): void {
    this.#silence?.[Symbol.dispose]();
    const child = this.#child;
    // What a host that has ended said last may be read after its end.
    if (this.#state === "draining" || child === null) return;
    this.#silence = new Silence({
      timeoutMs,
      waitedMs: () => processorWaitMs(child.pid),
      onSilent: () => {
        say(`The host process has been silent for ${timeoutMs} ms: it is killed and replaced`);
        child.kill("SIGKILL");
      },
    });
  }

  #exited(child: ChildProcess, code: number | null, signal: NodeJS.Signals | null): void {
    if (this.#child !== child) return;
    this.#child = null;
    this.#silence?.[Symbol.dispose]();
    if (this.#state === "draining") return this.#finish(code ?? 1);
    const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
    if (!this.#announced) {
      // The host itself has said what is wrong with its data folder.
      if (code !== hostExit.dataFolder) say(`The host process ended ${how} before it served`);
      return this.#finish(1);
    }
    const pauseMs = this.#pauseMs(performance.now());
    say(`The host process ended ${how}: it is started again${pauseMs === 0 ? "" : ` in ${pauseMs} ms`}`);
    this.#restart = setTimeout(() => this.#start(), pauseMs);
  }

  /** Before the next start: none after a life of some length, growing ones while none serves at all. */
  #pauseMs(nowMs: number): number {
    if (this.#servedAtMs === null) {
      this.#failures += 1;
      return Math.min(restartPauseMsMax, 100 * 2 ** this.#failures);
    }
    const livedMs = nowMs - this.#servedAtMs;
    this.#failures = 0;
    this.#servedAtMs = null;
    this.#diedAtMs = nowMs;
    return livedMs < shortLifeMs ? 100 : 0;
  }

  /** A signal: the first drains, the second ends at once. */
  #asked(signal: NodeJS.Signals): void {
    if (this.#state === "ended") return;
    // One Ctrl-C reaches the whole process group, and each launcher in it passes it on once more.
    const nowMs = performance.now();
    if (this.#askedAtMs !== null && nowMs - this.#askedAtMs < echoMs) return;
    this.#askedAtMs = nowMs;
    if (this.#child === null) return this.#finish(0);
    if (this.#state === "draining") {
      this.#child.kill("SIGKILL");
      return this.#finish(1);
    }
    this.#state = "draining";
    this.#silence?.[Symbol.dispose]();
    say(`${signal}: no new work is taken, running work may end (again to end at once)`);
    this.#child.send({ kind: "drain" } satisfies ToHost);
    const drainedMs = limits.drainTimeoutMs + 5_000;
    setTimeout(() => {
      say("The host process did not drain in time: it is killed");
      this.#child?.kill("SIGKILL");
    }, drainedMs).unref();
  }

  #finish(code: number): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    if (this.#restart !== null) clearTimeout(this.#restart);
    this.#socket.close();
    this.#inspectors.close();
    this.#end(code);
  }
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

function bindFault(config: HostConfig, error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const where = `${config.host}:${config.port}`;
  if (code === "EADDRINUSE") {
    return `Cannot listen on ${where}: the port is taken; stop what has it, or choose another with --port (0 = any free one)`;
  }
  if (code === "EACCES")
    return `Cannot listen on ${where}: it is not allowed; choose a port above 1023 with --port`;
  return `Cannot listen on ${where}: ${message}`;
}

// Wires the host together: the only file that knows every folder. Started by `host-process.ts` under
// the supervisor, and in process by tests.

import { mkdir } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import pino, { type Logger } from "pino";
import type { HostConfig } from "./config.ts";
import { Deployer } from "./deploy/deployer.ts";
import { Inspectors } from "./deploy/inspect.ts";
import { judgeCrash } from "./deploy/quarantine.ts";
import { HostError } from "./errors.ts";
import { controlApp } from "./http/app.ts";
import { BodyBudget, InvokeRoutes } from "./http/invoke-routes.ts";
import { createHttpServer } from "./http/server.ts";
import { Admission } from "./invoke/admission.ts";
import { Invoker } from "./invoke/invoker.ts";
import { Modules } from "./invoke/modules.ts";
import { Pool } from "./invoke/pool.ts";
import { routeCall } from "./invoke/router.ts";
import { Scheduler } from "./invoke/scheduler.ts";
import { assertLimits, limits } from "./limits.ts";
import { LogStore } from "./observe/log-store.ts";
import { Metrics } from "./observe/metrics.ts";
import { lockDataFolder } from "./store/data-lock.ts";
import { digestOf, FileArtifactStore } from "./store/files/artifact-store.ts";
import { SqliteFunctionStore } from "./store/sqlite/function-store.ts";
import { type SyncPath, syncDirectly } from "./store/sync.ts";
import { readAndClearRunning } from "./worker/running-record.ts";

export type HostOptions = {
  /** A listening socket's descriptor from the supervisor; without one the host binds itself. */
  readonly listenFd?: number;
  readonly log?: Logger;
  /** How files are made durable; directly by default. */
  readonly sync?: SyncPath;
};

export type Host = {
  /** `http://HOST:PORT` */
  readonly url: string;
  /** As `url`, with a loopback address where the host listens on all addresses. */
  readonly localUrl: string;
  readonly app: ReturnType<typeof controlApp>;
  /** Takes no new work, lets running work end for `limits.drainTimeoutMs`, writes everything out. */
  stop(): Promise<void>;
};

/** The data folder cannot be used; the message is for the user. */
export class DataFolderError extends Error {}

/** Starts a host; resolves when it listens. */
export async function start(config: HostConfig, options: HostOptions = {}): Promise<Host> {
  assertLimits();
  const log = options.log ?? pino(pino.destination({ dest: 2, sync: true }));
  const state = await openState(config, log, options.sync ?? syncDirectly);
  const { functions, artifacts, runningFile } = state;
  const onFault = (error: unknown, requestId?: string): void => {
    log.error({ err: error, requestId }, "internal fault");
  };
  const logs = new LogStore({ folder: join(config.dataDir, "logs"), onFault });
  const admission = new Admission();
  const modules = new Modules(artifacts);
  let scheduler: Scheduler | null = null;
  const pool: Pool = new Pool({
    minThreads: config.minWorkers,
    maxThreads: config.maxWorkers,
    runningFile,
    onRoom: () => scheduler?.dispatch(),
    onUnkillable: () => {
      log.fatal("A worker thread does not end: the host process ends itself and is replaced");
      process.kill(process.pid, "SIGKILL");
    },
    onThreadLost: (error) => {
      metrics.threadLost();
      log.error({ err: error }, "a worker thread ended under a call");
    },
  });
  scheduler = new Scheduler(pool, functions.suspects());
  const invoker = new Invoker({
    admission,
    modules,
    scheduler,
    log: (name, line) => logs.append(name, line),
    onCleared: (versionId) => void functions.clearSuspect(versionId).catch(onFault),
  });
  const metrics = new Metrics({
    liveCalls: () => admission.live,
    waitingCalls: () => scheduler.waiting,
    threads: () => pool.threads,
    modules: () => modules.count,
  });
  const inspectors = new Inspectors();
  inspectors.prepare();
  const deployer = new Deployer({
    functions,
    artifacts,
    inspectors,
    digestOf,
    now: Date.now,
    onRemoved: (name) => logs.remove(name),
  });
  await deployer.cleanUp();
  const invokeRoutes = new InvokeRoutes({
    route: (name, pin) => routeCall(functions, name, pin),
    invoke: (request) => invoker.invoke(request),
    bodies: new BodyBudget(),
    onOutcome: (_deployment, outcome, ms) => metrics.call(outcome, ms),
    onFault,
    onGuestFault: (deployment, requestId, message) => {
      const { name, version } = deployment;
      logs.append(name, { time: new Date().toISOString(), level: "error", requestId, version, message });
    },
  });
  let localUrl = "";
  const app = controlApp({
    guard: { token: config.token, hostNames: config.hostNames },
    functions,
    deployer,
    logs,
    baseUrl: () => localUrl,
    notReady: () => (admission.draining ? "it is shutting down" : null),
    metrics: () => metrics.text(),
    onDeploy: (outcome) => metrics.deploy(outcome),
    onFault,
  });
  const server = createHttpServer({ invokeRoutes, app, onFault });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    const where =
      options.listenFd === undefined
        ? { host: config.host, port: config.port }
        : { fd: options.listenFd, backlog: 511 };
    server.listen(where, resolve);
  });
  const { address, port, family } = server.address() as AddressInfo;
  const urlOf = (name: string): string => `http://${family === "IPv6" ? `[${name}]` : name}:${port}`;
  const url = urlOf(address);
  localUrl = urlOf(address === "0.0.0.0" ? "127.0.0.1" : address === "::" ? "::1" : address);
  return {
    url,
    localUrl,
    app,
    stop: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      await Promise.race([admission.drain(), timeout(limits.drainTimeoutMs)]);
      await Promise.race([closed, timeout(1_000)]);
      server.closeAllConnections();
      await pool.close();
      inspectors.close();
      await logs.flush();
      await functions.close();
      readAndClearRunning(runningFile);
      state.lock[Symbol.dispose]();
    },
  };
}

/** Locks and opens the data folder, and judges the crash of the host before this one, if any. */
async function openState(config: HostConfig, log: Logger, sync: SyncPath) {
  const { dataDir } = config;
  let lock: Disposable | null;
  try {
    await mkdir(dataDir, { recursive: true });
    lock = lockDataFolder(join(dataDir, "lock"), limits.dataLockTimeoutMs);
  } catch (error) {
    throw new DataFolderError(
      `Cannot use the data folder ${dataDir}: ${error instanceof Error ? error.message : error}; choose another with --data, or make it writable`,
      { cause: error },
    );
  }
  if (lock === null) {
    throw new DataFolderError(
      `Cannot use the data folder ${dataDir}: another host has it; stop that one, or choose another folder with --data`,
    );
  }
  try {
    const functions = await SqliteFunctionStore.open(join(dataDir, "mayfly.db"));
    const artifacts = await FileArtifactStore.open(join(dataDir, "modules"), sync);
    const runningFile = join(dataDir, "running");
    await recordCrash(functions, readAndClearRunning(runningFile), log);
    return { lock, functions, artifacts, runningFile };
  } catch (error) {
    lock[Symbol.dispose]();
    if (error instanceof HostError) throw error;
    throw new DataFolderError(
      `Cannot use the data folder ${dataDir}: ${error instanceof Error ? error.message : error}`,
      { cause: error },
    );
  }
}

async function recordCrash(functions: SqliteFunctionStore, running: number[], log: Logger): Promise<void> {
  const known = running.filter((id) => functions.byId(id) !== null);
  if (known.length === 0) return;
  const atMs = Date.now();
  const verdict = judgeCrash({
    running: known,
    suspects: new Set(functions.suspects()),
    crashesAsOnlySuspect: (id) => functions.crashesSince(id, atMs - limits.crashWindowMs),
    crashesMax: limits.crashesMax,
  });
  await functions.recordCrash({ atMs, ...verdict });
  const nameOf = (id: number): string => {
    const version = functions.byId(id);
    return version === null ? `#${id}` : `${version.name}@${version.version}`;
  };
  log.error(
    { suspects: verdict.suspects.map(nameOf), quarantined: verdict.quarantine },
    `the host process had died while ${verdict.suspects.map(nameOf).join(", ")} ran` +
      (verdict.quarantine ? "; it was the only suspect of the last crashes and is quarantined" : ""),
  );
}

function timeout(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
